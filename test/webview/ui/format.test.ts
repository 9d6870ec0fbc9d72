import { expect, test } from "vitest";
import { duration, interval, rate, signed } from "../../../webview/ui/format.ts";

const text = (message: string, ...values: (string | number)[]) =>
  message.replace(/\{(\d+)\}/g, (_, at) => String(values[Number(at)]));

test("numbers and times as they are read", () => {
  expect([12, 60, 130, 600, 3600, 3900, 11_100].map((seconds) => duration(text, seconds))).toEqual([
    "12 s",
    "1 min",
    "2 min 10 s",
    "10 min",
    "1 h",
    "1 h 5 min",
    "3 h 5 min",
  ]);
  expect([31.4, 3.14, 0.2].map((speed) => rate(text, speed, "images"))).toEqual([
    "31 images/s",
    "3.1 images/s",
    "5.0 s per image",
  ]);
  expect([0.0123, -0.5, -0.0001].map((value) => signed(value))).toEqual(["+0.012", "−0.500", "±0.000"]);
  expect(interval([-0.1, 0.25])).toBe("[−0.10, 0.25]");
});
