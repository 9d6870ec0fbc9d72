/** Bytes that may be in memory at a time for one purpose. Work waits for its turn, first come, first served. */
export interface ByteBudget {
  /**
   * Does the work once `bytes` fit in beside what others hold; more than the whole budget passes alone. Work inside may not ask
   * the same budget again: it would wait for itself.
   */
  run<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  /** Held at this moment, and the most that was ever held. */
  held(): number;
  most(): number;
}

export function byteBudget(capacity: number): ByteBudget {
  const waiting: { bytes: number; start(): void }[] = [];
  let [held, most, working] = [0, 0, 0];

  const fits = (bytes: number) => working === 0 || held + bytes <= capacity;
  function take(bytes: number): void {
    working++;
    held += bytes;
    most = Math.max(most, held);
  }
  function startNext(): void {
    for (let first = waiting[0]; first && fits(first.bytes); first = waiting[0]) {
      waiting.shift();
      take(first.bytes);
      first.start();
    }
  }

  return {
    async run(bytes, work) {
      // A large one that waits is not overtaken for ever by small ones.
      if (waiting.length === 0 && fits(bytes)) take(bytes);
      else await new Promise<void>((start) => waiting.push({ bytes, start }));
      try {
        return await work();
      } finally {
        working--;
        held -= bytes;
        startNext();
      }
    },
    held: () => held,
    most: () => most,
  };
}
