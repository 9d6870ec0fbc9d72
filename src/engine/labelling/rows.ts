import { figure } from "../../words/figure.ts";
import { marked } from "../../words/text.ts";
import type { PairRow, PointRow } from "../labels/labels.ts";
import {
  combineOrders,
  expectedScore,
  minRatingMass,
  pairConfidence,
  pointConfidence,
} from "../teachers/judgement.ts";
import type { PairPreference, PointJudgement } from "../teachers/teacher.ts";

function isProbability(p: number): boolean {
  return p >= 0 && p <= 1;
}

/** What is stored of a judgement; one that is no distribution counts as failed. */
export function pointRow(image: string, judged: PointJudgement): PointRow {
  if (!judged.ok) return { image, ok: false, reason: judged.reason };
  const { probabilities, mass, samples } = judged;
  const sum = probabilities.reduce((total, p) => total + p, 0);
  if (!probabilities.every(isProbability) || Math.abs(sum - 1) > 1e-3)
    return { image, ok: false, reason: marked("the teacher's probabilities do not sum to 1") };
  if (!(mass >= minRatingMass))
    return { image, ok: false, reason: `only ${figure(mass, 2)} of the answer is on the rating words` };
  const score = expectedScore(probabilities);
  const confidence = judged.confidence ?? pointConfidence(probabilities);
  return { image, ok: true, score, probabilities, mass, confidence, samples };
}

/** What is stored of a preference. */
export function pairRow([a, b]: [string, string], judged: PairPreference): PairRow {
  if (!judged.ok) return { a, b, ok: false, reason: judged.reason };
  const { pAB, pBA, samples } = judged;
  if (!isProbability(pAB) || !(pBA === null || isProbability(pBA)))
    return { a, b, ok: false, reason: marked("the teacher's preference is not a probability") };
  const { p, positionBias } = pBA === null ? { p: pAB, positionBias: null } : combineOrders(pAB, pBA);
  const confidence = judged.confidence ?? pairConfidence(p);
  return { a, b, ok: true, p, pAB, pBA, positionBias, confidence, samples };
}
