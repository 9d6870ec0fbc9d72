/** Pairs in rounds, each chosen by the answers to those before it. */
export interface PairRounds {
  /** Pairs of all rounds. */
  total: number;
  /** The next round's pairs; undefined after the last. */
  next(): Iterable<[string, string]> | undefined;
}

/** Pairs that wait for no answer; drawn again rather than kept, since there may be millions. */
export function oneRound(draw: () => Iterable<[string, string]>): PairRounds {
  let total = 0;
  for (const _ of draw()) total++;
  let asked = false;
  return {
    total,
    next() {
      if (asked) return undefined;
      const pairs = draw();
      asked = true;
      return pairs;
    },
  };
}

export function* allRounds(rounds: PairRounds): Generator<[string, string]> {
  for (let round = rounds.next(); round; round = rounds.next()) yield* round;
}
