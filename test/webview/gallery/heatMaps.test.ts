import { expect, test } from "vitest";
import type { HeatView, ImageRow } from "../../../src/protocol/images.ts";
import { createHeatMaps } from "../../../webview/gallery/heatMaps.ts";
import type { Host } from "../../../webview/host.ts";
import { makeImages } from "../support/model/images.ts";

const rows = makeImages(5, 1, true) as [ImageRow, ImageRow, ImageRow, ImageRow, ImageRow];
const heatOf = (uri: string): HeatView => ({
  small: `${uri}-small.png`,
  overlay: `${uri}-overlay.png`,
  legend: [2, 3, 4],
  lowerIsBetter: false,
});

/** A server that answers when it is told to. */
function slowHost() {
  const asked: { uri: string; answer: () => void }[] = [];
  const host = {
    request: (_: string, { uri }: { uri: string }) =>
      new Promise((resolve) => asked.push({ uri, answer: () => resolve(heatOf(uri)) })),
    resource: (uri: string) => uri,
    text: (message: string) => message,
  } as unknown as Host;
  return { host, asked };
}

test("of images that are stepped through only the first and the last are asked for, one at a time", async () => {
  const { host, asked } = slowHost();
  const heats = createHeatMaps(
    () => host,
    () => {},
  );
  for (const row of rows) expect(heats.want(row, "s1")).toEqual({ state: "waiting" });
  expect(asked.map(({ uri }) => uri)).toEqual([rows[0].uri]);
  asked[0]!.answer();
  await expect.poll(() => asked.map(({ uri }) => uri)).toEqual([rows[0].uri, rows[4].uri]);
  asked[1]!.answer();
  await expect.poll(() => heats.want(rows[4], "s1").state).toBe("there");
  expect(heats.want(rows[0], "s1")).toMatchObject({ overlay: `${rows[0].uri}-overlay.png` });
  expect(asked).toHaveLength(2);
  // Another student sees it otherwise.
  expect(heats.want(rows[0], "s2").state).toBe("waiting");
});

test("one that is being made is not asked for again, however often it is wanted meanwhile", async () => {
  const { host, asked } = slowHost();
  const heats = createHeatMaps(
    () => host,
    () => {},
  );
  const [first, passedBy] = rows;
  for (const row of [first, first, passedBy, first]) heats.want(row, "s1");
  asked[0]!.answer();
  await expect.poll(() => heats.want(first, "s1").state).toBe("there");
  expect(asked.map(({ uri }) => uri)).toEqual([first.uri]);
});
