import { seededRandom } from "../base/random.ts";
import type { Candidates } from "./candidates.ts";
import { seededOrder } from "./random.ts";

/**
 * Spread over the predicted score: the images at quantiles 0, 1/2, 1/4, 3/4, 1/8, … of the student's scores (van der Corput's
 * sequence, rotated by the seed), so that every prefix covers the scale evenly.
 */
export function* quantile(candidates: Candidates): Generator<number> {
  const order = scoreOrder(candidates);
  const free = freePlaces(order, candidates.already);
  for (const at of quantilePlaces(candidates)) {
    const place = free.nearest(at);
    if (place === undefined) return;
    free.take(place);
    yield order[place]!;
  }
}

/** Positions by score, equal ones by seeded rank. */
export function scoreOrder({ hashes, scores, seed }: Candidates): Uint32Array {
  const tie = new Uint32Array(hashes.length);
  for (const [rank, i] of seededOrder(hashes, seed).entries()) tie[i] = rank;
  return Uint32Array.from(hashes.keys()).sort((i, j) => scores[i]! - scores[j]! || tie[i]! - tie[j]!);
}

/** Places in the order of scores to aim at, without end; goes on where `already` left off. */
export function* quantilePlaces({ hashes, seed, already = [] }: Candidates): Generator<number> {
  const rotation = seededRandom("quantile", seed)();
  const n = hashes.length;
  for (let i = already.length; ; i++)
    yield Math.min(n - 1, Math.floor(((vanDerCorput(i) + rotation) % 1) * n));
}

/** The binary digits of i, mirrored at the point: 0, 1/2, 1/4, 3/4, 1/8, … (van der Corput 1935). */
export function vanDerCorput(i: number): number {
  let [value, unit] = [0, 0.5];
  for (let rest = i; rest > 0; rest = Math.floor(rest / 2), unit /= 2) if (rest % 2 === 1) value += unit;
  return value;
}

export interface FreePlaces {
  /** The free place closest to `at`, the lower one of two; undefined once none is left. */
  nearest(at: number): number | undefined;
  /** Up to `count` free places around `at`, closest first. */
  around(at: number, count: number): number[];
  take(place: number): void;
}

/** Which places of an order are still free; skipping taken ones costs next to nothing (path compression). */
export function freePlaces(order: Uint32Array, already: readonly number[] = []): FreePlaces {
  const n = order.length;
  // Shifted by one, so that 0 and n + 1 stand for "none".
  const [up, down] = [Uint32Array.from({ length: n + 2 }, (_, i) => i), new Uint32Array(n + 2)];
  down.set(up);
  const find = (next: Uint32Array, at: number) => {
    let root = at;
    while (next[root] !== root) root = next[root]!;
    for (let i = at; next[i] !== root; ) [next[i], i] = [root, next[i]!];
    return root;
  };
  const take = (place: number) => {
    up[place + 1] = place + 2;
    down[place + 1] = place;
  };
  const around = (at: number, count: number): number[] => {
    const found: number[] = [];
    let [below, above] = [find(down, at + 1), find(up, Math.min(n + 1, at + 2))];
    while (found.length < count && (below > 0 || above <= n)) {
      if (below > 0 && (above > n || at + 1 - below <= above - at - 1)) {
        found.push(below - 1);
        below = find(down, below - 1);
      } else {
        found.push(above - 1);
        above = find(up, above + 1);
      }
    }
    return found;
  };
  const taken = new Set(already);
  if (taken.size > 0) for (const [place, i] of order.entries()) if (taken.has(i)) take(place);
  return { nearest: (at) => around(at, 1)[0], around, take };
}
