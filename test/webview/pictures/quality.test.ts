import { expect, test } from "vitest";
import { bandOf, bandRange, bands } from "../../../webview/pictures/quality.ts";

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
