import { permutation, seededRandom } from "./random.ts";

export type PairStrategy = "random" | "near" | "mixed";

export interface PairPlan {
  /** About how many partners each image gets. */
  perImage: number;
  strategy: PairStrategy;
  seed: number;
}

/** Partners of `near` are at most this share of all images away in the order of scores. */
const nearShare = 0.05;

/**
 * Draws pairs of images to compare, canonical (smaller hash first), without repeats; a stream in O(n·k) time.
 *
 * Each round lays one cycle through all images, which gives every image two partners: `random` through a random order,
 * `near` through the order of point-wise scores at a small offset, `mixed` both in turn. One cycle alone connects all images.
 * The result depends on hashes, scores and seed, never on the order of `images`; a larger `perImage` starts with the pairs of
 * a smaller one. Memory is one number for each pair.
 */
export function* samplePairs(
  images: Iterable<string>,
  plan: PairPlan,
  scoreOf?: (hash: string) => number | undefined,
): Generator<[string, string]> {
  const hashes = [...new Set(images)].sort();
  const n = hashes.length;
  const perImage = Math.min(plan.perImage, n - 1);
  if (perImage <= 0) return;
  const drawn = new Set<number>();
  function* take(i: number, j: number): Generator<[string, string]> {
    const [low, high] = i < j ? [i, j] : [j, i];
    const key = low * n + high;
    if (low === high || drawn.has(key)) return;
    drawn.add(key);
    yield [hashes[low]!, hashes[high]!];
  }
  if (perImage === n - 1) {
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) yield* take(i, j);
    return;
  }
  const wanted = Math.ceil((n * perImage) / 2);
  const scores = Float64Array.from(hashes, (hash) => scoreOf?.(hash) ?? 3);
  const byScore = Uint32Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => scores[i]! - scores[j]! || i - j,
  );
  const farthest = Math.max(2, Math.round(n * nearShare));
  // Later cycles meet earlier pairs now and then; a few more rounds than k / 2 make up for them.
  for (let round = 0; drawn.size < wanted && round < perImage * 4; round++) {
    const random = seededRandom(`pairs ${plan.seed} ${round}`);
    const near = plan.strategy === "near" || (plan.strategy === "mixed" && round % 2 === 1);
    const order = near ? byScore : permutation(n, random);
    const offset = !near || round === 0 ? 1 : 1 + Math.floor(random() * farthest);
    const start = Math.floor(random() * n);
    for (let step = 0; step < n && drawn.size < wanted; step++) {
      const at = (start + step) % n;
      // The order of scores has two ends, which are not close to each other; their one edge keeps the cycle simple.
      if (near && at + offset >= n) continue;
      yield* take(order[at]!, order[(at + offset) % n]!);
    }
  }
}
