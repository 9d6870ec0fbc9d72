import { expect, test } from "vitest";
import type { TimedProgress } from "../../src/protocol/jobs.ts";
import { counted, percentOf, progressDetails, progressLine, rate } from "../../src/words/progress.ts";
import { english as t } from "../../src/words/translate.ts";

const progress = (over: Partial<TimedProgress>): TimedProgress => ({
  stage: "label",
  step: "points",
  done: 0,
  unit: "images",
  rate: null,
  secondsLeft: null,
  ...over,
});

test("one line: step, share, time left", () => {
  const epoch = progress({ step: "epoch 3 of 20", done: 30, total: 200, secondsLeft: 125 });
  expect(progressLine(t, epoch)).toBe("epoch 3 of 20 · 15 % · 2 min 5 s left");
  expect(progressLine(t, progress({ done: 1200, total: undefined }))).toBe("points · 1,200 images");
  expect(progressLine(t, progress({ step: "load", done: 0, total: 0 }))).toBe("load");
  expect(progressLine(t, progress({ done: 1200, total: 4000, secondsLeft: 3900 }))).toBe(
    "points · 30 % · 1 h 5 min left",
  );
  expect(progressLine(t, null)).toBe("starting");
});

test("the rest of it: counts, rate, detail", () => {
  const whole = progress({ done: 1200, total: 4000, rate: 34.6, detail: "loss 0.41" });
  expect(progressDetails(t, whole)).toBe("1,200 of 4,000 images · 35 images/s · loss 0.41");
  expect(progressDetails(t, progress({ done: 1200 }))).toBe("");
  expect(counted(t, whole)).toBe("1,200 of 4,000 images");
});

test("a share is known with the total, and full only at the end", () => {
  expect(percentOf(progress({ done: 7, total: 0 }))).toBeNull();
  expect(percentOf(null)).toBeNull();
  expect([0, 1999, 2000, 2100].map((done) => percentOf({ done, total: 2000 }))).toEqual([0, 99, 100, 100]);
});

test("rates have the unit in which they are readable", () => {
  expect([1234.5, 31.4, 9.97, 3.14, 0.2].map((speed) => rate(t, speed, "images"))).toEqual([
    "1,235 images/s",
    "31 images/s",
    "10 images/s",
    "3.1 images/s",
    "5.0 s per image",
  ]);
});
