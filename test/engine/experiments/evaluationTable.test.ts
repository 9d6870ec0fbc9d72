import { expect, test } from "vitest";
import { evaluationTable, partsTable } from "../../../src/engine/experiments/evaluationTable.ts";
import { tableAs } from "../../../src/engine/experiments/formats.ts";
import type { EvaluateResult, Metrics, TransferCell } from "../../../src/protocol/results.ts";

const metrics = (srcc: number, n = 60): Metrics => ({
  n,
  srcc,
  plcc: srcc + 0.01,
  plccLogistic: null,
  krcc: null,
  rmse: 0.5,
  ci95: { srcc: [srcc - 0.1, srcc + 0.1], plcc: null },
});
const cell = (srcc: number, n: number): TransferCell => ({
  ...metrics(srcc, n),
  failed: 0,
  seen: 0,
  far: null,
});
const result: EvaluateResult = {
  ...metrics(0.8),
  run: "r1",
  split: "test",
  student: "calibrate",
  failed: 0,
  transfer: {
    datasets: ["SPAQ", "a_b"],
    rows: [
      { student: "distill", cells: [cell(0.6, 40), null] },
      { student: "calibrate", cells: [cell(0.7, 40), null] },
    ],
  },
};

test("trained on one dataset and tested on each: a row a student, as LaTeX", () => {
  const table = evaluationTable(result, metrics(0.5));
  expect(table.header).toEqual([
    "student",
    "test: SRCC",
    "test: PLCC",
    "SPAQ: SRCC",
    "SPAQ: PLCC",
    "a_b: SRCC",
    "a_b: PLCC",
  ]);
  expect(table.rows.map(({ cells }) => cells)).toEqual([
    ["TGD", "0.500 [0.400, 0.600]", "0.510", "0.600 [0.500, 0.700]", "0.610", "–", "–"],
    ["CFT", "0.800 [0.700, 0.900]", "0.810", "0.700 [0.600, 0.800]", "0.710", "–", "–"],
  ]);
  expect(table.notes[0]).toBe("Images: test: 60, SPAQ: 40, a_b: 0.");
  const latex = tableAs(table, "latex");
  expect(latex).toContain("student & test: SRCC & test: PLCC & SPAQ: SRCC & SPAQ: PLCC & a\\_b: SRCC");
  // Without an evaluation of its own the distilled student has figures elsewhere alone.
  expect(evaluationTable(result).rows[0]!.cells.slice(0, 4)).toEqual([
    "TGD",
    "–",
    "–",
    "0.600 [0.500, 0.700]",
  ]);
  const alone = evaluationTable({ ...result, student: "distill", transfer: undefined });
  expect(alone.rows.map(({ cells }) => cells)).toEqual([["TGD", "0.800 [0.700, 0.900]", "0.810"]]);
});

test("parts are told by grade and by group, with a rule between", () => {
  const part = { n: 6, srcc: 0.5, plcc: null, rmse: 1, bias: -0.25 };
  const table = partsTable({
    bands: [{ name: "good", ...part }],
    groups: { count: 20, srcc: [0.4, 0.6, 0.7], lowest: [{ name: "I01", ...part }] },
  });
  expect(tableAs(table, "text").split("\n").slice(0, 5)).toEqual([
    "part  n  SRCC   PLCC  RMSE   score − MOS",
    "────  ─  ─────  ────  ─────  ───────────",
    "good  6  0.500  –     1.000  −0.250",
    "────  ─  ─────  ────  ─────  ───────────",
    "I01   6  0.500  –     1.000  −0.250",
  ]);
  expect(table.notes[1]).toBe(
    "Within 20 groups of images: SRCC 0.600 [0.400, 0.700], median and quartiles; the 1 lowest are listed.",
  );
});
