import type { ImageRow, Page, PairQuery, PairRow } from "../../../../src/protocol/images.ts";
import { clamp, round, seeded } from "./random.ts";

const logit = (p: number) => Math.log(p / (1 - p));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export function makePairs(images: readonly ImageRow[], amount: number, seed: number): PairRow[] {
  const random = seeded(seed);
  return Array.from({ length: Math.min(amount, images.length * 4) }, () => {
    const at = random.below(images.length);
    const a = images[at]!;
    const b = images[(at + 1 + random.below(images.length - 1)) % images.length]!;
    const difference = (a.teacher!.score - b.teacher!.score) * 1.8;
    const bias = 0.5 * random.normal();
    const [pAB, pBA] = [sigmoid(difference + bias), sigmoid(difference - bias)].map((p) =>
      clamp(p, 0.01, 0.99),
    );
    return pairOf(a, b, sigmoid((logit(pAB!) + logit(pBA!)) / 2), pAB!, pBA!);
  });
}

function pairOf(a: ImageRow, b: ImageRow, p: number, pAB: number, pBA: number): PairRow {
  const confidence = 1 + (p * Math.log(p) + (1 - p) * Math.log(1 - p)) / Math.LN2;
  return {
    a,
    b,
    p: round(p),
    pAB: round(pAB),
    pBA: round(pBA),
    positionBias: round(logit(pAB) - logit(pBA)),
    confidence: round(confidence),
    kept: confidence >= 0.1,
    human: null,
    studentDisagrees: a.score === null || b.score === null ? null : a.score > b.score !== p > 0.5,
  };
}

/** Filters, sorts and pages as `leaf/pairs` does. */
export function queryPairs(pairs: readonly PairRow[], query: PairQuery): Page<PairRow> {
  const { show, confidence, image, sort, descending, offset, limit } = query;
  const found = pairs.filter(
    (pair) =>
      (show === "all" ||
        (show === "kept" && pair.kept) ||
        (show === "discarded" && !pair.kept) ||
        (show === "disagreement" && pair.studentDisagrees === true) ||
        (show === "human" && pair.human !== null)) &&
      (!image || pair.a.hash === image || pair.b.hash === image) &&
      (!confidence || (pair.confidence >= confidence[0] && pair.confidence <= confidence[1])),
  );
  const key = (pair: PairRow) =>
    sort === "confidence"
      ? pair.confidence
      : sort === "bias"
        ? Math.abs(pair.positionBias ?? 0)
        : Math.abs((pair.a.score ?? 0) - (pair.b.score ?? 0));
  if (sort !== "sampled") found.sort((one, other) => (key(one) - key(other)) * (descending ? -1 : 1));
  return { rows: found.slice(offset, offset + limit), total: found.length };
}
