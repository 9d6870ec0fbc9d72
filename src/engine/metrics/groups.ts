import { type Random, randomInt } from "../base/random.ts";

/** Which values belong together: a number 0 … count − 1 for each, in the order in which groups first appear. */
export interface Groups {
  of: Uint32Array;
  count: number;
}

/** A value without a name is a group of its own. Undefined where none has one: then each value stands for itself. */
export function groupsOf(names: readonly (string | undefined)[]): Groups | undefined {
  if (!names.some(Boolean)) return undefined;
  const known = new Map<string, number>();
  let count = 0;
  const of = Uint32Array.from(names, (name) => {
    if (!name) return count++;
    let group = known.get(name);
    if (group === undefined) {
      group = count++;
      known.set(name, group);
    }
    return group;
  });
  return { of, count };
}

/** Those of some of the values, numbered anew. */
export function groupsAt(groups: Groups, at: ArrayLike<number>): Groups {
  return groupsOf(Array.from(at, (i) => `${groups.of[i]!}`)) ?? { of: new Uint32Array(), count: 0 };
}

/**
 * Draws a bootstrap sample of `n` values into `weights`: how often each counts. With groups it is whole groups that are drawn with
 * replacement, as many as there are (the cluster bootstrap: Davison and Hinkley 1997, ch. 3.8; Field and Welsh 2007): values of
 * one group are alike, and to draw them one by one takes them for independent. Groups of one value each give what no groups give.
 */
export function resampler(n: number, groups?: Groups): (random: Random, weights: Uint32Array) => void {
  if (!groups)
    return (random, weights) => {
      weights.fill(0);
      for (let i = 0; i < n; i++) weights[randomInt(random, n)]!++;
    };
  const { of, count } = groups;
  const times = new Uint32Array(count);
  return (random, weights) => {
    times.fill(0);
    for (let i = 0; i < count; i++) times[randomInt(random, count)]!++;
    for (let i = 0; i < n; i++) weights[i] = times[of[i]!]!;
  };
}

/**
 * The fold of each value, 0 … folds − 1, such that no group is in two: groups go to the folds in turn, in the order in which
 * `order` (all positions, shuffled) comes upon them.
 */
export function groupFolds(order: Uint32Array, folds: number, groups?: Groups): Uint8Array {
  const foldOf = new Uint8Array(order.length);
  const ofGroup = new Map<number, number>();
  for (const i of order) {
    const group = groups ? groups.of[i]! : i;
    let fold = ofGroup.get(group);
    if (fold === undefined) {
      fold = ofGroup.size % folds;
      ofGroup.set(group, fold);
    }
    foldOf[i] = fold;
  }
  return foldOf;
}
