import { expect, test } from "vitest";
import type { Page } from "../../../src/protocol/images.ts";
import { createPages } from "../../../webview/pictures/pages.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function fakePages(delay = 5) {
  const asked: number[] = [];
  let version = 0;
  const pages = createPages<string>({
    async fetch(offset, limit): Promise<Page<string>> {
      asked.push(offset);
      const asOf = version;
      await sleep(delay);
      return { rows: Array.from({ length: limit }, (_, at) => `${offset + at} v${asOf}`), total: 10_000 };
    },
    onChange: () => {},
    onError: () => {},
  });
  return { pages, asked, change: () => version++ };
}

test("pages that were passed by are not asked for, whatever the pace", async () => {
  const { pages, asked } = fakePages(20);
  pages.look(0, 10);
  await sleep(60);
  for (let at = 0; at < 60; at++) {
    pages.look(at * 150, at * 150 + 20);
    await sleep(2);
  }
  await sleep(120);
  expect(pages.at(59 * 150)).toBe("8850 v0");
  expect(asked.length).toBeLessThan(20);
});

test("an answer from before a change is asked for again; old rows stand until then", async () => {
  const { pages, change } = fakePages(30);
  pages.look(0, 10);
  await sleep(60);
  expect(pages.at(3)).toBe("3 v0");
  pages.refresh();
  await sleep(10);
  change();
  pages.refresh();
  expect(pages.at(3)).toBe("3 v0");
  await sleep(120);
  expect(pages.at(3)).toBe("3 v1");
  expect(await pages.between(95, 1210)).toHaveLength(1116);
});

test("one row elsewhere costs its own page, not the way there", async () => {
  const { pages, asked } = fakePages();
  pages.look(0, 10, 9050);
  await sleep(80);
  expect([pages.at(0), pages.at(9050)]).toEqual(["0 v0", "9050 v0"]);
  expect(asked.sort((a, b) => a - b)).toEqual([0, 9000]);
});
