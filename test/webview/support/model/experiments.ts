import { meanOf } from "../../../../src/engine/experiments/result.ts";
import type {
  ArmResult,
  ArmTest,
  ExperimentResult,
  ExperimentSummary,
  TrialResult,
} from "../../../../src/protocol/experiments.ts";
import { folder } from "./images.ts";
import { round, seeded } from "./random.ts";

export interface ModelExperiment extends ExperimentSummary {
  result: ExperimentResult | null;
}

export const hostileArm = `<img src=x onerror=alert(1)> \u202egnp.exe "${"very-long-".repeat(9)}`;

const reported = ["srcc", "plcc", "plccLogistic", "krcc", "rmse"] as const;

/** SRCC by seed (null: that training failed), around it the other measures. */
function makeArm(name: string, settings: Record<string, string>, srccs: (number | null)[]): ArmResult {
  const trials = srccs.map((srcc, seed): TrialResult => {
    const known = srcc !== null;
    return {
      seed,
      state: known ? "done" : "failed",
      reason: known ? null : "the GPU ran out of memory: set `distill.batch: 16`",
      run: known ? `r${seed}` : null,
      evaluated: known ? "calibrate" : null,
      key: known ? `${name}-${seed}` : null,
      ratings: known ? 40 : null,
      metrics: known
        ? {
            n: 80,
            srcc,
            plcc: round(srcc + 0.012),
            plccLogistic: round(srcc + 0.02),
            krcc: round(srcc - 0.17),
            rmse: round(1.2 - srcc),
            ci95: { srcc: [round(srcc - 0.05), round(srcc + 0.04)], plcc: null },
          }
        : null,
    };
  });
  const means = Object.fromEntries(reported.map((metric) => [metric, meanOf(trials, metric)]));
  return {
    name,
    settings,
    stage: "calibrate",
    trials,
    ratings: srccs.some((srcc) => srcc !== null) ? 40 : null,
    means: means as ArmResult["means"],
    versus: null,
  };
}

const against = (difference: number, half: number, pHolm: number): ArmTest => ({
  difference,
  interval: [round(difference - half), round(difference + half)],
  p: pHolm / 3,
  pHolm,
});

/** One that is done, with a failed arm and a hostile name; one that was never run; one whose file is wrong. */
export function makeExperiments(now: number): ModelExperiment[] {
  const joint = makeArm("joint", {}, [0.861, 0.852, 0.872]);
  const point = makeArm("point only", { "distill.loss.pair": "0" }, [0.741, 0.728, 0.755]);
  const pair = makeArm("pair only", { "distill.loss.point": "0" }, [0.858, 0.849, null]);
  const none = makeArm("huge batch", { "distill.batch": "4096" }, [null, null, null]);
  const hostile = makeArm(hostileArm, { "images.<b>": hostileArm }, [0.84, 0.851, 0.866]);
  const versus = (srcc: ArmTest | null, rmse: ArmTest | null) => ({
    baseline: "joint",
    tests: { srcc, rmse },
  });
  point.versus = versus(against(-0.1203, 0.041, 0.0004), against(0.12, 0.05, 0.002));
  pair.versus = versus(against(-0.0083, 0.02, 0.61), against(0.008, 0.02, 0.7));
  none.versus = versus(null, null);
  hostile.versus = versus(against(-0.009, 0.021, 0.61), against(0.009, 0.02, 0.7));
  const arms = [joint, point, pair, none, hostile];
  const updated = new Date(now - 3_600_000).toISOString();
  const result: ExperimentResult = {
    v: 1,
    name: "components",
    file: "components.experiment.yaml",
    base: "leaf.yaml",
    key: "k",
    updated,
    stage: "calibrate",
    seeds: [0, 1, 2],
    resplit: false,
    report: ["srcc", "rmse"],
    compare: "joint",
    bootstrap: 2000,
    done: 11,
    failed: 4,
    total: 15,
    arms,
    paper: { dataset: "AGIQA-3K", rows: [{ name: "LEAF", srcc: 0.83, plcc: 0.84 }] },
  };
  const summary = { experiment: `${folder}/components.experiment.yaml`, name: "components", rows: 5 };
  const state = { stale: false, invalid: null, updated: null, result: null };
  return [
    { ...summary, done: 11, failed: 4, total: 15, stale: false, invalid: null, updated, result },
    {
      ...state,
      experiment: `${folder}/ratio.experiment.yaml`,
      name: "ratio",
      rows: 8,
      done: 0,
      failed: 0,
      total: 24,
    },
    {
      ...state,
      experiment: `${folder}/wrong.experiment.yaml`,
      name: "wrong",
      rows: 0,
      done: 0,
      failed: 0,
      total: 0,
      invalid: "wrong.experiment.yaml:3:7: `distil` is no key of leaf.yaml: did you mean `distill`?",
    },
  ];
}

/** An experiment under way: the first `done` trainings of so many arms, no tests yet. */
export function growing(now: number, done: number): ModelExperiment {
  const random = seeded(9);
  const arms = Array.from({ length: 4 }, (_, at) => {
    const ratio = String(round(0.1 * (at + 1)));
    const arm = makeArm(`ratio ${ratio}`, { "calibrate.ratio": ratio }, []);
    arm.trials = makeArm(arm.name, {}, [round(0.7 + 0.03 * at + 0.01 * random.normal())]).trials.map(
      (trial) => (at < done ? trial : { ...trial, state: "missing", key: null, metrics: null }),
    );
    arm.means = Object.fromEntries(
      reported.map((metric) => [metric, meanOf(arm.trials, metric)]),
    ) as ArmResult["means"];
    return arm;
  });
  const updated = new Date(now + done).toISOString();
  const [first] = makeExperiments(now);
  return {
    experiment: `${folder}/ratio.experiment.yaml`,
    name: "ratio",
    rows: 4,
    done,
    failed: 0,
    total: 4,
    stale: false,
    invalid: null,
    updated,
    result: {
      ...first!.result!,
      name: "ratio",
      file: "ratio.experiment.yaml",
      seeds: [0],
      done,
      failed: 0,
      total: 4,
      compare: "ratio 0.1",
      paper: null,
      updated,
      arms,
    },
  };
}
