import type { RunSummary } from "../../../../src/protocol/project.ts";
import type { CurvePoint, EvaluationView, RunCurves } from "../../../../src/protocol/server.ts";
import { round, seeded } from "./random.ts";

const settings = {
  images: "photos",
  "teacher.kind": "embedded",
  "label.pairsPerImage": "8",
  "label.minConfidence": "0.1",
  "student.model": "efficientnet-lite0",
  "distill.epochs": "20",
  "distill.loss.pair": "1",
  "calibrate.ratio": "0.1",
  "calibrate.loss.plcc": "1",
  "split.seed": "0",
};

const steps: { changes: Record<string, string>; daysAgo: number }[] = [
  { changes: {}, daysAgo: 6 },
  { changes: { "distill.epochs": "30" }, daysAgo: 5 },
  { changes: { "distill.loss.pair": "2", "label.minConfidence": "0.2" }, daysAgo: 2 },
  { changes: { "calibrate.ratio": "0.3" }, daysAgo: 0.1 },
];

/** Runs r9 … r12, newest first; each changes something of the one before. */
export function makeRuns(config: string, evaluations: EvaluationView[], now: number): RunSummary[] {
  let current: Record<string, string> = settings;
  const runs = steps.map(({ changes, daysAgo }, at): RunSummary => {
    const before = current;
    current = { ...current, ...changes };
    const view = evaluations[at]!;
    const created = new Date(now - daysAgo * 86_400_000);
    return {
      id: view.run,
      config,
      state: "done",
      created: created.toISOString(),
      updated: new Date(created.getTime() + 380_000).toISOString(),
      pinned: at === 1,
      previous: at > 0 ? `r${8 + at}` : null,
      changes: Object.entries(changes).map(([key, value]) => ({
        key,
        before: Number(before[key]),
        after: Number(value),
      })),
      ratings: Math.round(400 * Number(current["calibrate.ratio"])),
      agreement: { n: 400, srcc: round(0.88 + 0.015 * at), plcc: round(0.89 + 0.013 * at) },
      evaluation: view.evaluation,
      seconds: 372 + 41 * at,
      gitCommit: at > 1 ? "3fb1c09" : null,
      settings: current,
    };
  });
  return runs.reverse();
}

export function makeCurves(run: string): RunCurves {
  const seed = Number(run.replace(/\D/g, ""));
  return {
    distill: curve(seed, seed > 9 ? 30 : 20, 0.9, { point: 0.55, pair: 0.45 }),
    calibrate: curve(seed + 50, 20, 0.5, { mse: 0.7, plcc: 0.3 }),
  };
}

export function curve(
  seed: number,
  epochs: number,
  start: number,
  shares: Record<string, number>,
): CurvePoint[] {
  const random = seeded(seed);
  return Array.from({ length: epochs }, (_, at) => {
    const progress = 1 - Math.exp(-(at + 1) / (epochs / 4));
    const loss = start * (1 - 0.72 * progress) + 0.012 * random.normal();
    return {
      epoch: at + 1,
      loss: round(loss, 4),
      parts: Object.fromEntries(
        Object.entries(shares).map(([name, share]) => [name, round(loss * share, 4)]),
      ),
      srcc: round(0.5 + (0.4 + 0.004 * (seed % 5)) * progress + 0.01 * random.normal()),
      plcc: round(0.52 + (0.39 + 0.004 * (seed % 5)) * progress + 0.01 * random.normal()),
    };
  });
}
