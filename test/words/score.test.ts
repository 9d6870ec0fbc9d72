import { expect, test } from "vitest";
import type { Range } from "../../src/words/figure.ts";
import {
  bandOf,
  bandRange,
  bands,
  bandWord,
  betterThan,
  confidenceText,
  mosFigure,
  mosText,
  rangeText,
  scoreFigure,
  scoreText,
} from "../../src/words/score.ts";
import { english as t } from "../../src/words/translate.ts";

test.each<[number, Range, string]>([
  [3.6182, [1, 5], "3.62 / 5"],
  [61.74, [0, 100], "61.7 (0 to 100)"],
  [61.74, [1, 100], "61.7 / 100"],
  [0.6131, [0, 1], "0.613 (0 to 1)"],
  [-0.25, [-2, 2.5], "−0.25 (−2 to 2.5)"],
  [7.104, [0, 10], "7.10 (0 to 10)"],
])("%d on %j is %s", (score, scale, text) => {
  expect(scoreText(t, score, scale)).toBe(text);
});

test("a MOS is told as a score, with how far opinions were apart", () => {
  expect(mosText(t, { mos: 3.4, mosStd: 0.68 }, [1, 5])).toBe("3.40 ± 0.68 / 5");
  expect(mosText(t, { mos: 63.96, mosStd: 19.3 }, [0, 100])).toBe("64.0 ± 19.3 (0 to 100)");
  expect(mosFigure({ mos: 3.4 }, [1, 5])).toBe("3.40");
  expect(mosFigure({ mos: null }, [1, 5])).toBe("–");
  expect(scoreFigure(null, [1, 5])).toBe("–");
});

test("a score with its error bar, in as many decimals", () => {
  expect(scoreText(t, 3.618, [1, 5], 0.306)).toBe("3.62 ± 0.31 / 5");
  expect(scoreText(t, 61.66, [0, 100], 7.64)).toBe("61.7 ± 7.6 (0 to 100)");
  expect(scoreText(t, 3.618, [1, 5])).toBe("3.62 / 5");
});

test("where it stands among others, how sure it is, and its scale", () => {
  expect(betterThan(t, { share: 0.714, of: 152 })).toBe("better than 71 % of 152 scored images");
  expect(betterThan(t, { share: 1, of: 12_345 })).toBe("better than 100 % of 12,345 scored images");
  expect(confidenceText(t, 0.543)).toBe("confidence 0.54");
  expect(rangeText(t, [0, 100])).toBe("0 to 100");
});

test("bands are the five words on any scale, whether or not lower is better", () => {
  const scale = { scale: [1, 5] as [number, number], lowerIsBetter: false };
  expect([1, 1.4, 1.49, 1.5, 2.5, 3.6, 4.5, 4.6, 5.3, 9].map((score) => bandOf(score, scale))).toEqual([
    "bad",
    "bad",
    "bad",
    "poor",
    "fair",
    "good",
    "excellent",
    "excellent",
    "excellent",
    "excellent",
  ]);
  const reversed = { scale: [0, 100] as [number, number], lowerIsBetter: true };
  expect([0, 12, 13, 50, 95, 99].map((score) => bandOf(score, reversed))).toEqual([
    "excellent",
    "excellent",
    "good",
    "fair",
    "bad",
    "bad",
  ]);
  for (const one of [scale, reversed]) {
    for (const band of bands) {
      const [low, high] = bandRange(band, one);
      expect(low).toBeLessThan(high);
      expect(bandOf((Math.max(low, one.scale[0]) + Math.min(high, one.scale[1])) / 2, one)).toBe(band);
    }
  }
  expect(bands.map((band) => bandWord(t, band))).toEqual([...bands]);
});
