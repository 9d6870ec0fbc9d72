import type { Arms } from "./work.ts";

/** Seconds, or ratios of seconds in the same round. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export interface Measured {
  ours: Spread;
  before?: Spread;
  peer?: Spread;
  floor?: Spread;
  /** peer / ours: above 1 we are faster. */
  ratio?: Spread;
  /** before / ours: above 1 we became faster. */
  gain?: Spread;
  /** floor / ours: the share of the possible speed that we reach. */
  reached?: Spread;
}

type Side = "ours" | "before" | "peer" | "floor";

/** Each arm once without counting, then `rounds` times in turn, so that a slow moment of the machine meets all of them. */
export async function measure(arms: Arms, before: Arms | undefined, rounds: number): Promise<Measured> {
  const sides: [Side, () => Promise<number>][] = [["ours", arms.ours]];
  if (before) sides.push(["before", before.ours]);
  if (arms.peer) sides.push(["peer", arms.peer]);
  if (arms.floor) sides.push(["floor", arms.floor]);
  const seconds = new Map<Side, number[]>(sides.map(([side]) => [side, []]));
  for (const [, run] of sides) await run();
  for (let round = 0; round < rounds; round++)
    for (const [side, run] of sides) seconds.get(side)!.push(await run());
  return summarise(seconds);
}

/** @param seconds of each side, by round */
export function summarise(seconds: ReadonlyMap<Side, readonly number[]>): Measured {
  const ours = seconds.get("ours")!;
  const found: Measured = { ours: spread(ours) };
  const ratios = { before: "gain", peer: "ratio", floor: "reached" } as const;
  for (const side of ["before", "peer", "floor"] as const) {
    const theirs = seconds.get(side);
    if (!theirs) continue;
    found[side] = spread(theirs);
    found[ratios[side]] = spread(theirs.map((one, round) => one / ours[round]!));
  }
  return found;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place: number) => sorted[place]!;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}
