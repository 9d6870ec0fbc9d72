import fc from "fast-check";
import { expect, test } from "vitest";
import { ago, duration, left } from "../../src/words/duration.ts";
import { english as t } from "../../src/words/translate.ts";

test.each([
  [0, "0 s"],
  [12, "12 s"],
  [59.5, "1 min"],
  [60, "1 min"],
  [130, "2 min 10 s"],
  [599.4, "9 min 59 s"],
  [599.6, "10 min"],
  [600, "10 min"],
  [3569, "59 min"],
  [3590, "1 h"],
  [3600, "1 h"],
  [3725, "1 h 2 min"],
  [3900, "1 h 5 min"],
  [11_100, "3 h 5 min"],
])("%d s are %s", (seconds, text) => {
  expect(duration(t, seconds)).toBe(text);
});

const units: Record<string, number> = { s: 1, min: 60, h: 3600 };
const secondsOf = (text: string) =>
  [...text.matchAll(/(\d+) (s|min|h)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * units[unit!]!, 0);

test("a longer time never reads shorter, no unit is ever full, and little is lost", () => {
  const seconds = fc.oneof(
    fc.double({ min: 0, max: 8000, noNaN: true }),
    fc.integer({ min: 0, max: 400_000 }),
  );
  fc.assert(
    fc.property(seconds, seconds, (a, b) => {
      const [short, long] = [Math.min(a, b), Math.max(a, b)];
      const [one, two] = [duration(t, short), duration(t, long)];
      expect(secondsOf(one)).toBeLessThanOrEqual(secondsOf(two));
      expect(one).not.toMatch(/\b60 (s|min)\b|^0 (min|h)| 0 (s|min)\b/);
      expect(Math.abs(secondsOf(one) - short)).toBeLessThanOrEqual(short < 599 ? 0.5 : 30.5);
    }),
    { numRuns: 2000 },
  );
});

test("what is left is told while something is, and known", () => {
  expect([125, 0.2, 0, null].map((seconds) => left(t, seconds))).toEqual([
    "2 min 5 s left",
    "1 s left",
    "",
    "",
  ]);
});

test("how long ago, to the day it was", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  const told = [
    "2026-11-24T11:59:50Z",
    "2026-11-24T11:48:00Z",
    "2026-11-24T11:00:01Z",
    "2026-11-23T13:00:00Z",
    "2026-11-22T13:00:00Z",
    "2026-11-22T12:00:00Z",
    "2026-11-20T12:00:00Z",
    "2026-11-17T12:00:00Z",
    // A clock that is ahead.
    "2026-11-24T12:05:00Z",
    "not a time",
  ].map((iso) => ago(t, iso, now));
  expect(told).toEqual([
    "just now",
    "12 min ago",
    "59 min ago",
    "23 h ago",
    "47 h ago",
    "2 days ago",
    "4 days ago",
    "2026-11-17",
    "just now",
    "",
  ]);
});
