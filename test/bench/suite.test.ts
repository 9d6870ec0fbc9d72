import fc from "fast-check";
import { expect, test } from "vitest";
import { measure, spread, summarise } from "../../bench/suite/measure.ts";
import { tableOf } from "../../bench/suite/table.ts";

test("ratios are taken round by round, so that a slow moment that meets both sides changes nothing", () => {
  const found = summarise(
    new Map([
      ["ours", [1, 10, 2]],
      ["peer", [3, 30, 8]],
    ]),
  );
  expect(found.ratio).toEqual({ median: 3, min: 3, max: 4 });
  expect(found.peer).toEqual({ median: 8, min: 3, max: 30 });
  expect(found.gain).toBeUndefined();
});

test("arms run in turn, after one time that does not count", async () => {
  const calls: string[] = [];
  const arm = (name: string, seconds: number) => async () => {
    calls.push(name);
    return seconds;
  };
  const found = await measure(
    { ours: arm("ours", 2), peer: arm("peer", 5), floor: arm("floor", 1) },
    { ours: arm("before", 4) },
    2,
  );
  expect(calls.join(" ")).toBe(Array(3).fill("ours before peer floor").join(" "));
  expect([found.ratio?.median, found.gain?.median, found.reached?.median]).toEqual([2.5, 2, 0.5]);
});

test("the spread lies within its values, and half of them on each side of the median", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
      const { median, min, max } = spread(values);
      expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
      expect(values.filter((value) => value < median).length).toBeLessThanOrEqual(values.length / 2);
      expect(values.filter((value) => value > median).length).toBeLessThanOrEqual(values.length / 2);
    }),
  );
});

test("the table shows three figures, and nothing where nothing was measured", () => {
  const one = { median: 1.2345, min: 0.98765, max: 123.4 };
  const table = tableOf([{ name: "score", peerName: "a script", aim: 3, ours: one, peer: one, ratio: one }]);
  expect(table.split("\n").at(-1)).toBe(
    "| score |  | 1.23 s | 1.23 s, a script | 1.23× [0.988, 123] | 3× |  |",
  );
});
