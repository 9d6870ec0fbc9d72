import { globSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bytes,
  count,
  countIn,
  figure,
  interval,
  millions,
  money,
  percent,
  plain,
  pValue,
  signed,
  significant,
  speakFigures,
  tiny,
  withInterval,
} from "../../src/words/figure.ts";
import { english, translator } from "../../src/words/translate.ts";

test("a figure has its decimals and a true minus; zero has no sign, and what is unknown is a dash", () => {
  expect([0.8614, -0.004, -0.0004, 0, null, undefined, Number.NaN].map((value) => figure(value))).toEqual([
    "0.861",
    "−0.004",
    "0.000",
    "0.000",
    "–",
    "–",
    "–",
  ]);
  expect(figure(-0.5, 2)).toBe("−0.50");
});

test("counts are grouped as the language does, and never by a point or comma that decimals may have", () => {
  const bundles = globSync("l10n/bundle.l10n.*.json").map((file) => JSON.parse(readFileSync(file, "utf8")));
  expect(bundles.length).toBeGreaterThan(0);
  for (const bundle of bundles) {
    const t = translator(bundle);
    expect(countIn(t, 1_234_567)).toMatch(/^1(\u202f|,)234(?:\1)567$/);
    expect(countIn(t, 999)).toBe("999");
  }
  const german = translator(JSON.parse(readFileSync("l10n/bundle.l10n.de.json", "utf8")));
  speakFigures(german);
  expect([count(4000), figure(0.861)]).toEqual(["4\u202f000", "0.861"]);
  speakFigures(english);
  expect(count(4000)).toBe("4,000");
});

test("a difference always has a sign", () => {
  expect([0.0123, -0.5, -0.004, -0.0004, 0.0004, null].map((value) => signed(value))).toEqual([
    "+0.012",
    "−0.500",
    "−0.004",
    "±0.000",
    "±0.000",
    "–",
  ]);
});

test("an interval has the decimals of its figure", () => {
  expect(withInterval(0.8614, [0.842, 0.8794])).toBe("0.861 [0.842, 0.879]");
  expect(withInterval(0.8614, null)).toBe("0.861");
  expect(interval([-0.1, 0.25], 2)).toBe("[−0.10, 0.25]");
  expect(interval([-0.2, 0.01], 3, signed)).toBe("[−0.200, +0.010]");
  expect(interval(null)).toBe("");
});

test("counts, shares, sizes, sums", () => {
  expect([0, 999, 4000, 1_234_567].map(count)).toEqual(["0", "999", "4,000", "1,234,567"]);
  expect([percent(0.127), percent(0.5, 0), percent(0.00012, 2), percent(null)]).toEqual([
    "12.7 %",
    "50 %",
    "0.01 %",
    "–",
  ]);
  expect([0, 512, 999, 1000, 12_400, 999_600, 1_310_000, 18e9, 3e15].map(bytes)).toEqual([
    "0 B",
    "512 B",
    "999 B",
    "1.0 kB",
    "12 kB",
    "1.0 MB",
    "1.3 MB",
    "18 GB",
    "3000 TB",
  ]);
  expect([5, 100, 4.5, -2.004, 0.123].map((value) => plain(value))).toEqual([
    "5",
    "100",
    "4.5",
    "−2",
    "0.12",
  ]);
  expect([0.99961, 1.5, -2, 123_456].map((value) => significant(value))).toEqual([
    "0.9996",
    "1.5",
    "−2",
    "123500",
  ]);
  expect([1.24e-7, 0].map(tiny)).toEqual(["1.2e−7", "0.0e+0"]);
  expect(millions(5_310_000)).toBe("5.3 M");
  expect([1.254, 0.0123, 0].map((amount) => money({ amount, currency: "USD" }))).toEqual([
    "1.25 USD",
    "0.0123 USD",
    "0.00 USD",
  ]);
  expect([0.0004, 0.0341].map(pValue)).toEqual(["<0.001", "0.034"]);
});

test("figures are read back as the numbers that they round", () => {
  const numberOf = (text: string) => Number(text.replace("−", "-").replace(/[+±]/, ""));
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.integer({ min: 0, max: 4 }),
      (value, n) => {
        for (const text of [figure(value, n), signed(value, n)]) {
          expect(Math.abs(numberOf(text) - value)).toBeLessThanOrEqual(0.5000001 * 10 ** -n);
          expect(text).not.toContain("-");
          expect(text).not.toMatch(/^[−+]0(\.0*)?$/);
        }
      },
    ),
  );
});
