import { bradleyTerryScores } from "../metrics/bradleyTerry.ts";
import { canonical, hashOrder, type PairPlan, samplePairs, type Words, wordsOf } from "./pairs.ts";
import type { PairRounds } from "./rounds.ts";

/** P(a better) of each pair in the order given; NaN where there is no answer. */
export type Answers = (pairs: readonly [string, string][]) => ArrayLike<number>;

/** Possible partners come from so many random orders of all images, a neighbour on each side: near ones and far ones. */
const orders = 8;
/** No image gets more new partners in a round: its error is not known again before the next. */
const mostNew = 4;

/**
 * Pairs that tell most about the order of all images. The first round is a random cycle, which connects them. Before each round after it
 * a Bradley-Terry model is fitted to the answers so far, and of random candidates those pairs are chosen that promise most: the expected
 * Fisher information q (1 − q) of the answer, with q averaged over what is not known of the difference (MacKay 1992), times the variance
 * of that difference. So near pairs of images that the ranking is least sure of come first, and the number of partners of an image
 * depends on what is known of it. As many pairs as `samplePairs` draws.
 *
 * The result depends on hashes, seed and answers alone: asked again with the same answers it chooses the same pairs. An image of whose
 * pairs none was answered, though others were, is chosen no more.
 */
export function adaptiveRounds(images: Iterable<string>, plan: PairPlan, answers: Answers): PairRounds {
  const hashes = [...new Set(images)].sort();
  const n = hashes.length;
  const total = Math.min((n * (n - 1)) / 2, Math.ceil((n * plan.perImage) / 2));
  const place = new Map(hashes.map((hash, i) => [hash, i]));
  const words = wordsOf(hashes, plan.seed);
  const known = new Set<number>();
  const asked: [string, string][] = [];
  let round = 0;
  return {
    total,
    next() {
      if (asked.length >= total) return undefined;
      const most = Math.min(n, total - asked.length);
      const chosen =
        round === 0
          ? [...samplePairs(hashes, { ...plan, perImage: Math.min(2, plan.perImage), strategy: "random" })]
          : choose(fitted(), most);
      round++;
      for (const [a, b] of chosen) known.add(place.get(a)! * n + place.get(b)!);
      asked.push(...chosen);
      return chosen.length > 0 ? chosen : undefined;
    },
  };

  /** What the answers say: score and variance of each image; infinite where it is not to be chosen. */
  function fitted(): { score: Float64Array; variance: Float64Array } {
    const said = answers(asked);
    const [a, b, p]: [number[], number[], number[]] = [[], [], []];
    for (const [k, [first, second]] of asked.entries()) {
      if (!(said[k]! >= 0)) continue;
      a.push(place.get(first)!);
      b.push(place.get(second)!);
      p.push(said[k]!);
    }
    const { score, information, dispersion } = bradleyTerryScores({ n, a, b, p });
    const answered = new Set([...a, ...b]);
    const variance = information.map((one, i) =>
      p.length > 0 && !answered.has(i) ? Number.POSITIVE_INFINITY : dispersion / one,
    );
    return { score, variance };
  }

  function choose(
    { score, variance }: { score: Float64Array; variance: Float64Array },
    most: number,
  ): [string, string][] {
    const candidates = candidatesOf(words, round, known, most);
    const gain = candidates.map(([i, j]) => {
      const v = variance[i]! + variance[j]!;
      return Number.isFinite(v) ? v * expectedInformation(score[i]! - score[j]!, v) : -1;
    });
    const byGain = [...gain.keys()].filter((k) => gain[k]! >= 0).sort((k, l) => gain[l]! - gain[k]! || k - l);
    const added = new Uint8Array(n);
    const chosen: [string, string][] = [];
    for (const k of byGain) {
      if (chosen.length >= most) break;
      const [i, j] = candidates[k]!;
      if (added[i]! >= mostNew || added[j]! >= mostNew) continue;
      added[i]!++;
      added[j]!++;
      chosen.push(canonical(hashes[i]!, hashes[j]!));
    }
    return chosen;
  }
}

/** q (1 − q) of a difference of scores that has a mean and a variance, both in log-odds. */
function expectedInformation(difference: number, variance: number): number {
  const q = 1 / (1 + Math.exp(-difference / Math.sqrt(1 + (Math.PI * variance) / 8)));
  return q * (1 - q);
}

/** Neighbours in random orders of this round, each pair once and none that is known; all others where these are too few. */
function candidatesOf(
  words: Words,
  round: number,
  known: ReadonlySet<number>,
  least: number,
): [number, number][] {
  const n = words.high.length;
  const found = new Map<number, [number, number]>();
  const add = (i: number, j: number) => {
    const key = Math.min(i, j) * n + Math.max(i, j);
    if (i !== j && !known.has(key)) found.set(key, [i, j]);
  };
  for (let k = 0; k < orders; k++) {
    // Other orders than those of the pairs that `samplePairs` draws.
    const order = hashOrder(words, 0x10000 + round * orders + k);
    for (let at = 0; at < n; at++) add(order[at]!, order[(at + 1) % n]!);
  }
  if (found.size < least) for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) add(i, j);
  return [...found.values()];
}
