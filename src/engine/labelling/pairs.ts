import { hashWords, mixWords } from "../base/random.ts";

/** `adaptive` pairs come from `adaptiveRounds`. */
export type PairStrategy = "random" | "near" | "mixed" | "adaptive";

export interface PairPlan {
  /** About how many partners each image gets. */
  perImage: number;
  strategy: PairStrategy;
  seed: number;
}

/**
 * Near partners are at most about this share of all images apart in the order of scores, a third of it on average. Not less,
 * since a judge cannot tell the closest apart: of the embedded teacher's near pairs in the demo 1 % have a confidence of 0.1
 * at a share of 0.05, and 15 % at 0.3, against 65 % of random ones.
 */
const nearShare = 0.3;
/** For few images the share is next to nothing. */
const nearPlaces = 10;
const none = 0xffffffff;

/**
 * Draws pairs of images to compare: canonical (smaller hash first), without repeats, a stream in O(n·k) beside the sorts.
 *
 * In each of ⌈k / 2⌉ rounds every image chooses one partner, the next in the round's order that it is not paired with yet and
 * that has few partners so far; so an image has at least k / 2 partners, k on average, and where k is small beside the number
 * of images 3k / 2 + 1 at most. In a random round images are ordered by a seeded hash of their own:
 * one more image changes only the pairs beside it, and labels of the others stay of use. In a near round they are ordered by
 * their place in the order of scores plus a seeded jitter. The first round is always a random cycle, which connects all
 * images (for k = 1 it is half of one: pairs that share nothing). `near` has near rounds from then on, `mixed` every second round.
 *
 * The result depends on hashes, scores and seed, never on the order of `images`. The pairs for a smaller k are among those for
 * a larger one, and for even k they come first. Memory is 2·n·k bytes, 2·n, and the hashes.
 */
export function* samplePairs(
  images: Iterable<string>,
  plan: PairPlan,
  scoreOf: (hash: string) => number | undefined = () => undefined,
): Generator<[string, string]> {
  const hashes = [...new Set(images)].sort();
  const n = hashes.length;
  if (plan.perImage <= 0) return;
  if (n - 1 <= plan.perImage) {
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) yield [hashes[i]!, hashes[j]!];
    return;
  }
  const rounds = Math.ceil(plan.perImage / 2);
  const chosen = new Uint32Array(n * rounds).fill(none);
  const partners = new Uint16Array(n);
  const chose = (i: number, j: number) => {
    for (let at = i * rounds; at < (i + 1) * rounds; at++) if (chosen[at] === j) return true;
    return false;
  };
  /** Pairs that nobody chose: only where k is close to n. */
  const others: [number, number][] = [];
  const paired = (i: number, j: number) =>
    chose(i, j) || chose(j, i) || others.some(([a, b]) => (a === i && b === j) || (a === j && b === i));
  /** In place of an image that has all others as partners already, the one with the fewest gets one more. */
  const pairOthers = () => {
    const byPartners = [...partners.keys()].sort((i, j) => partners[i]! - partners[j]! || i - j);
    for (const i of byPartners)
      for (const j of byPartners) {
        if (i === j || paired(i, j)) continue;
        others.push([i, j]);
        partners[i]!++;
        partners[j]!++;
        return;
      }
  };
  const words = wordsOf(hashes, plan.seed);
  const byScore = plan.strategy === "random" ? undefined : scoreOrder(hashes, scoreOf);
  const farthest = Math.max(nearPlaces, Math.round(n * nearShare));

  let told = 0;
  for (let round = 0; round < rounds; round++) {
    const near = round > 0 && (plan.strategy === "near" || (plan.strategy === "mixed" && round % 2 === 1));
    const order = near ? nearOrder(byScore!, words, round, farthest) : hashOrder(words, round);
    const choose = (at: number, most: number) => {
      const i = order[at]!;
      let fewest = none;
      for (let step = 1; step < n; step++) {
        // A random order is a cycle; that of scores has two ends, far from each other, so it goes on backwards.
        const to = at + step < n ? at + step : near ? n - 1 - step : at + step - n;
        const j = order[to]!;
        if (paired(i, j)) continue;
        if (fewest === none || partners[j]! < partners[fewest]!) fewest = j;
        if (partners[j]! < most) break;
      }
      if (fewest === none) {
        pairOthers();
        return;
      }
      // Where k is close to n all that are left may have many: then the one with the fewest.
      chosen[i * rounds + round] = fewest;
      partners[i]!++;
      partners[fewest]!++;
    };
    // Without a limit, images at the top of the scores would be chosen by all others. It must not depend on k.
    for (let at = 0; at < n; at += 2) choose(at, 3 * round + 2);
    // The last round of an odd k is half a round: every second image chooses.
    if (round < rounds - 1 || plan.perImage % 2 === 0)
      for (let at = 1; at < n; at += 2) choose(at, 3 * round + 3);
    // Along the order, where neighbouring pairs share an image: a teacher's cache of a few images is enough.
    for (let at = 0; at < n; at++) {
      const i = order[at]!;
      const j = chosen[i * rounds + round]!;
      if (j !== none) yield canonical(hashes[i]!, hashes[j]!);
    }
    for (const [i, j] of others.slice(told)) yield canonical(hashes[i]!, hashes[j]!);
    told = others.length;
  }
}

export function canonical(a: string, b: string): [string, string] {
  return a < b ? [a, b] : [b, a];
}

export interface Words {
  high: Uint32Array;
  low: Uint32Array;
}

export function wordsOf(hashes: string[], seed: number): Words {
  const words = { high: new Uint32Array(hashes.length), low: new Uint32Array(hashes.length) };
  const [seedWord] = hashWords(`pairs ${seed}`);
  for (const [i, hash] of hashes.entries()) [words.high[i], words.low[i]] = hashWords(hash, seedWord);
  return words;
}

/** 32 bits that depend on seed, image and round. */
function draw(words: Words, i: number, round: number): number {
  return mixWords(words.high[i]!, mixWords(words.low[i]!, round + 0x9e3779b9));
}

/** Images by a hash of seed, round and image. */
export function hashOrder(words: Words, round: number): Uint32Array {
  const n = words.high.length;
  // Rank and position in one number of 53 bits, which sorts natively; equal ranks fall back to the order of hashes.
  const positions = 2 ** Math.ceil(Math.log2(n));
  const rankBits = Math.min(32, 53 - Math.log2(positions));
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const rank = draw(words, i, round) >>> (32 - rankBits);
    keys[i] = rank * positions + i;
  }
  return Uint32Array.from(keys.sort(), (key) => key % positions);
}

/** Images by score, equal ones by hash, those without one last. */
function scoreOrder(hashes: string[], scoreOf: (hash: string) => number | undefined): Uint32Array {
  const scores = Float64Array.from(hashes, (hash) => scoreOf(hash) ?? Number.MAX_VALUE);
  return Uint32Array.from(scores.keys()).sort((i, j) => scores[i]! - scores[j]! || i - j);
}

/** The order of scores, each image moved on by up to `farthest` places at random. */
function nearOrder(byScore: Uint32Array, words: Words, round: number, farthest: number): Uint32Array {
  const n = byScore.length;
  const keys = new Float64Array(n);
  for (const [place, i] of byScore.entries()) keys[i] = place + (draw(words, i, round) / 2 ** 32) * farthest;
  return byScore.slice().sort((i, j) => keys[i]! - keys[j]! || i - j);
}
