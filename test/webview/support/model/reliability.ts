import type { ImageRow, PairRow } from "../../../../src/protocol/images.ts";
import type {
  CalibrationMetrics,
  ReliabilityBin,
  TeacherReliability,
} from "../../../../src/protocol/reliability.ts";

/** Counted from the model's pairs; intervals and scaled figures are invented. */
export function makeReliability(images: readonly ImageRow[], pairs: readonly PairRow[]): TeacherReliability {
  const judged = pairs.flatMap(({ a, b, p, confidence }) => {
    if (a.mos === null || b.mos === null || a.mos === b.mos) return [];
    return [{ a, b, p, confidence, right: p > 0.5 === a.mos > b.mos, claimed: Math.max(p, 1 - p) }];
  });
  const binned = (of: (one: (typeof judged)[number]) => number, low: number): ReliabilityBin[] =>
    Array.from({ length: 5 }, (_, at) => {
      const [from, to] = [low + ((1 - low) * at) / 5, low + ((1 - low) * (at + 1)) / 5];
      const inside = judged.filter((one) => of(one) > from && of(one) <= to);
      const right = inside.filter((one) => one.right).length / Math.max(1, inside.length);
      const half = inside.length > 0 ? 0.9 / Math.sqrt(inside.length) : 0;
      return {
        low: from,
        high: to,
        n: inside.length,
        claimed: (from + to) / 2,
        right,
        ci95: [Math.max(0, right - half), Math.min(1, right + half)],
      };
    });
  const measured: CalibrationMetrics = {
    n: judged.length,
    right: judged.filter(({ right }) => right).length / judged.length,
    ece: 0.061,
    brier: 0.14,
    nll: 0.43,
    auroc: 0.81,
  };
  const bins = binned(({ claimed }) => claimed, 0.5);
  const rated = ({ hash, path, mos }: ImageRow) => ({
    hash,
    image: path,
    mos: mos!,
    group: path.slice(0, 9),
  });
  return {
    teacher: "f",
    kind: "openai",
    split: "train",
    rated: images.filter(({ mos }) => mos !== null).length,
    calibration: 40,
    pairs: {
      ...measured,
      threshold: 0.25,
      undecided: 12,
      bins,
      byConfidence: binned(({ confidence }) => confidence, 0),
      temperature: {
        temperature: 1.6,
        fittedOn: 48,
        before: { ...measured, n: 200 },
        after: { ...measured, n: 200, ece: 0.02 },
      },
      minConfidence: { value: 0.14, n: 48 },
    },
    points: {
      ...measured,
      bins,
      temperature: { temperature: null, fittedOn: 3, before: null, after: null, why: "too few" },
      srcc: 0.71,
      plcc: 0.7,
      ci95: [0.6, 0.8],
    },
    groups: [
      { group: "photos/a", pairs: 30, right: 0.61, confidentlyWrong: 4 },
      { group: "photos/b", pairs: 44, right: 0.83, confidentlyWrong: 1 },
    ],
    confidentErrors: judged
      .filter(({ right }) => !right)
      .sort((x, y) => y.confidence - x.confidence)
      .slice(0, 6)
      .map(({ a, b, p, confidence }) =>
        a.mos! > b.mos!
          ? { better: rated(a), worse: rated(b), p, confidence }
          : { better: rated(b), worse: rated(a), p: 1 - p, confidence },
      ),
    positionBias: { pairs: 300, first: 0.58, flipped: 0.12, logits: { mean: 0.9, sd: 1.1 } },
  };
}
