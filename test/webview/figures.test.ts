import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { plainCell } from "../../src/engine/tables/formulaCells.ts";
import { toCsv } from "../../webview/charts/csv.ts";
import { baselineOf, deltaOf, differences, sortRuns } from "../../webview/runs/figures.ts";
import { duration, interval, rate, signed } from "../../webview/ui/format.ts";
import { createModel } from "./model/model.ts";

const text = (message: string, ...values: (string | number)[]) =>
  message.replace(/\{(\d+)\}/g, (_, at) => String(values[Number(at)]));
const { runs } = createModel({ images: 200, pairs: 0 });
const [r12, r11, , r9] = runs as [(typeof runs)[0], (typeof runs)[0], (typeof runs)[0], (typeof runs)[0]];

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

test("CSV is read back as it was written", () => {
  const cell = fc.oneof(fc.string(), fc.constantFrom('a "quoted", one', "two\nlines"));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
      const csv = toCsv({ columns: ["a", "b"], rows });
      const back = parse(csv, { record_delimiter: "\n" }) as string[][];
      expect(back.map((cells) => cells.map(plainCell))).toEqual([["a", "b"], ...rows]);
    }),
  );
});

test("a run is compared with the evaluated one before it, on the same images only", () => {
  expect(baselineOf(r12, runs, undefined)).toBe(r11);
  expect(baselineOf(r9, runs, undefined)).toBeUndefined();
  expect(baselineOf(r12, runs, "r9")).toBe(r9);
  expect(baselineOf(r9, runs, "r9")).toBeUndefined();
  const without = runs.map((run) => (run.id === "r11" ? { ...run, evaluation: null } : run));
  expect(baselineOf(r12, without, undefined)?.id).toBe("r10");

  const delta = deltaOf(r12, r9, "rmse")!;
  expect(delta.difference).toBeCloseTo(r12.evaluation!.rmse - r9.evaluation!.rmse);
  expect(delta.better).toBe(true);
  const fewer = { ...r9, evaluation: { ...r9.evaluation!, n: 7 } };
  expect(deltaOf(r12, fewer, "srcc")).toBeNull();
});

test("a difference inside the interval may be chance", () => {
  const near = { ...r12, id: "near", evaluation: { ...r12.evaluation!, srcc: r12.evaluation!.srcc! - 1e-6 } };
  expect(deltaOf(r12, near, "srcc")).toMatchObject({ better: true, mayBeChance: true });
  const far = { ...r12, id: "far", evaluation: { ...r12.evaluation!, srcc: 0.1 } };
  expect(deltaOf(r12, far, "srcc")).toMatchObject({ better: true, mayBeChance: false });
  // KRCC has no interval of its own: SRCC's decides.
  expect(deltaOf(r12, far, "krcc")).toMatchObject({ mayBeChance: false });
  expect(deltaOf(r12, near, "krcc")).toMatchObject({ mayBeChance: true });
});

test("runs without a value come last, whichever way a column is sorted", () => {
  const none = { ...r12, id: "r13", evaluation: null };
  for (const descending of [true, false])
    expect(sortRuns([none, ...runs], { key: "srcc", descending }).at(-1)?.id).toBe("r13");
});

test("only settings that differ are shown, and a missing one counts", () => {
  const bare = { ...r12, settings: { ...r12.settings } };
  delete bare.settings["split.seed"];
  expect(differences([r12, bare])).toEqual([{ setting: "split.seed", values: ["0", null] }]);
  expect(differences([r12, r12])).toEqual([]);
});
