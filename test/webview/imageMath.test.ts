import fc from "fast-check";
import { expect, test } from "vitest";
import type { Page } from "../../src/protocol/images.ts";
import { createPages } from "../../webview/pictures/pages.ts";
import { bandOf, bandRange, bands } from "../../webview/pictures/quality.ts";
import { fitted, inside, panBy, placement, visibleRegion, zoomAt } from "../../webview/pictures/viewport.ts";
import { scrollTo, windowOf } from "../../webview/pictures/windowing.ts";

const size = fc.record({
  width: fc.integer({ min: 1, max: 8000 }),
  height: fc.integer({ min: 1, max: 8000 }),
});

test("the whole image fits, and never shows a border once it is larger than the pane", () => {
  fc.assert(
    fc.property(size, size, fc.double({ min: 1, max: 40, noNaN: true }), fc.gen(), (image, pane, zoom, g) => {
      const fit = visibleRegion(fitted, image, pane);
      for (const [from, to] of [fit.x, fit.y]) {
        expect(from).toBeCloseTo(0, 9);
        expect(to).toBeCloseTo(1, 9);
      }
      const at = () => g(fc.double, { min: -0.5, max: 1.5, noNaN: true });
      const view = inside({ zoom, x: at(), y: at() }, image, pane);
      const { left, top, scale } = placement(view, image, pane);
      for (const [start, length, room] of [
        [left, image.width * scale, pane.width],
        [top, image.height * scale, pane.height],
      ] as const) {
        if (length <= room) expect(start).toBeCloseTo((room - length) / 2, 3);
        else {
          expect(start).toBeLessThan(1e-3);
          expect(start + length).toBeGreaterThan(room - 1e-3);
        }
      }
    }),
  );
});

test("zooming keeps what is under the pointer, and a pan moves by what the pointer moved", () => {
  const image = { width: 4000, height: 3000 };
  const pane = { width: 800, height: 600 };
  fc.assert(
    fc.property(
      fc.double({ min: 4, max: 10, noNaN: true }),
      fc.double({ min: 1.1, max: 3, noNaN: true }),
      fc.integer({ min: 1, max: 799 }),
      fc.integer({ min: 1, max: 599 }),
      (zoom, more, x, y) => {
        const before = placement({ zoom, x: 0.5, y: 0.5 }, image, pane);
        const view = zoomAt({ zoom, x: 0.5, y: 0.5 }, zoom * more, { x, y }, image, pane);
        const after = placement(view, image, pane);
        expect((x - after.left) / after.scale).toBeCloseTo((x - before.left) / before.scale, 3);
        expect((y - after.top) / after.scale).toBeCloseTo((y - before.top) / before.scale, 3);
        const moved = placement(panBy(view, { x: 7, y: -5 }, image, pane), image, pane);
        expect(moved.left - after.left).toBeCloseTo(7, 3);
        expect(moved.top - after.top).toBeCloseTo(-5, 3);
      },
    ),
  );
});

test("a list of any length draws what is in sight and little more, and reaches both ends", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 90, max: 300 }),
      fc.integer({ min: 100, max: 2000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (count, cell, room, share) => {
        const lines = { count, size: cell };
        const { height } = windowOf(lines, 0, room, 2);
        expect(height).toBeLessThanOrEqual(16_000_000);
        const scrolled = share * Math.max(0, height - room);
        const { first, last, offset } = windowOf(lines, scrolled, room, 2);
        expect(last - first).toBeLessThanOrEqual(Math.ceil(room / cell) + 5);
        // What is drawn covers the screen.
        if (first > 0) expect(offset).toBeLessThanOrEqual(scrolled);
        const end = offset + (last - first + 1) * cell;
        expect(end).toBeGreaterThanOrEqual(Math.min(scrolled + room, height) - 1e-3);
        const bottom = windowOf(lines, Math.max(0, height - room), room, 0);
        expect(bottom.last).toBe(count - 1);
        // Any line can be brought into sight.
        const line = Math.min(count - 1, Math.floor(share * count));
        const shown = windowOf(lines, scrollTo(lines, line, scrolled, room), room, 0);
        expect(shown.first).toBeLessThanOrEqual(line);
        expect(shown.last).toBeGreaterThanOrEqual(line);
      },
    ),
  );
});

test("bands are the five words on any scale, whether or not lower is better", () => {
  const scale = { scale: [1, 5] as [number, number], lowerIsBetter: false };
  expect([1, 1.49, 1.5, 2.5, 3.6, 4.5, 5.3].map((score) => bandOf(score, scale))).toEqual([
    "bad",
    "bad",
    "poor",
    "fair",
    "good",
    "excellent",
    "excellent",
  ]);
  const reversed = { scale: [0, 100] as [number, number], lowerIsBetter: true };
  expect([0, 12, 13, 50, 99].map((score) => bandOf(score, reversed))).toEqual([
    "excellent",
    "excellent",
    "good",
    "fair",
    "bad",
  ]);
  for (const one of [scale, reversed]) {
    for (const band of bands) {
      const [low, high] = bandRange(band, one);
      expect(low).toBeLessThan(high);
      expect(bandOf((Math.max(low, one.scale[0]) + Math.min(high, one.scale[1])) / 2, one)).toBe(band);
    }
  }
});

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
