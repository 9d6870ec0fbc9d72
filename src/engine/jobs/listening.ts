/** What a job needs to know of time: how long it has run, by a clock that nobody sets. */
export type Clock = () => number;

export interface ListeningOptions {
  /** Milliseconds without a word from anybody after which a job stops. */
  patienceMs: number;
  /** How often it is looked. */
  everyMs: number;
  now?: Clock;
}

/** A look that comes later than this many times its turn: the machine slept, or the process was stopped. */
const sleptAfter = 10;

/**
 * Whether anybody still listens to a job: somebody who does writes a new word again and again. `word` is what stands there now,
 * undefined where nobody has said anything yet. Only time in which both could have done something counts, not that of a sleep;
 * after a sleep a listener has half of the patience at least to wake up.
 */
export function listening({ patienceMs, everyMs, now = () => performance.now() }: ListeningOptions) {
  let [last, looked, silent] = [undefined as string | undefined, now(), 0];
  return {
    /** Takes a look; false once nobody has said anything for long enough. */
    isHeard(word: string | undefined): boolean {
      const gap = now() - looked;
      looked += gap;
      silent += Math.min(gap, 2 * everyMs);
      if (gap > sleptAfter * everyMs) silent = Math.min(silent, patienceMs / 2);
      if (word !== last) [last, silent] = [word, 0];
      return silent <= patienceMs;
    },
  };
}
