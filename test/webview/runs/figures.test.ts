import { expect, test } from "vitest";
import type { ArmResult, TrialResult } from "../../../src/protocol/experiments.ts";
import { say } from "../../../src/words/text.ts";
import { failuresOf } from "../../../webview/runs/armFigures.ts";
import { baselineOf, changesOf, deltaOf, differences, sortRuns } from "../../../webview/runs/figures.ts";
import { pseudo } from "../../support/pseudoLocale.ts";
import { createModel } from "../support/model/model.ts";

const { runs } = createModel({ images: 200, pairs: 0 });
const [r12, r11, , r9] = runs as [(typeof runs)[0], (typeof runs)[0], (typeof runs)[0], (typeof runs)[0]];

test("a run is compared with the evaluated one before it, on the same images only", () => {
  expect(baselineOf(r12, runs, undefined)).toBe(r11);
  expect(baselineOf(r9, runs, undefined)).toBeUndefined();
  expect(baselineOf(r12, runs, "r9")).toBe(r9);
  expect(baselineOf(r9, runs, "r9")).toBeUndefined();
  // The engine passes over one that was not evaluated.
  const without = runs.map((run) => (run.id === "r11" ? { ...run, evaluation: null } : run));
  expect(baselineOf({ ...r12, previous: "r10" }, without, undefined)?.id).toBe("r10");

  const delta = deltaOf(r12, r9, "rmse")!;
  expect(delta.difference).toBeCloseTo(r12.evaluation!.rmse - r9.evaluation!.rmse);
  expect(delta.better).toBe(true);
  const fewer = { ...r9, evaluation: { ...r9.evaluation!, n: 7 } };
  expect(deltaOf(r12, fewer, "srcc")).toBeNull();
});

test("with two configs in turn, what changed and the figures are against the same run, of the same config", () => {
  const night = "file:///w/night.leaf.yaml";
  const other = {
    ...r11,
    config: night,
    previous: null,
    changes: [],
    evaluation: { ...r11.evaluation!, srcc: 0.5 },
  };
  const mine = { ...r12, previous: "r9", changes: [{ key: "distill.epochs", before: 20, after: 30 }] };
  const both = [mine, other, r9];
  const baseline = baselineOf(mine, both, undefined);
  expect(baseline).toBe(r9);
  expect(changesOf(mine, baseline)).toEqual(mine.changes);
  expect(deltaOf(mine, baseline, "srcc")!.difference).toBeCloseTo(
    r12.evaluation!.srcc! - r9.evaluation!.srcc!,
  );
  // The first run of a config is against nothing: no change, and no difference either.
  expect(baselineOf(other, both, undefined)).toBeUndefined();
  expect(changesOf(other, undefined)).toEqual([]);
  expect(deltaOf(other, undefined, "srcc")).toBeNull();
});

test("against a chosen run both are against that one", () => {
  const baseline = baselineOf(r12, runs, "r9");
  expect(changesOf(r12, baseline)).toEqual([
    { key: "calibrate.ratio", before: 0.1, after: 0.3 },
    { key: "distill.epochs", before: 20, after: 30 },
    { key: "distill.loss.pair", before: 1, after: 2 },
    { key: "label.minConfidence", before: 0.1, after: 0.2 },
  ]);
  expect(changesOf(r9, baselineOf(r9, runs, "r9"))).toEqual([]);
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

test("why trials failed is said in the editor's language, each reason once; older results have it in English", () => {
  const failed = (seed: number, reason: TrialResult["reason"]) =>
    ({ seed, state: "failed", reason }) as TrialResult;
  const arm = {
    trials: [failed(0, say`Run it again.`), failed(1, say`Run it again.`), failed(2, "no memory")],
  };
  expect(failuresOf(arm as ArmResult, pseudo)).toEqual([
    { reason: "⟦Run it again.⟧", seeds: [0, 1] },
    { reason: "no memory", seeds: [2] },
  ]);
});
