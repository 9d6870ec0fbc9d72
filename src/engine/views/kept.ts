import { setImmediate } from "node:timers/promises";

/**
 * Tables, columns and lists that are made from the sources, by name. One that was made of other `inputs` is made anew; one of
 * another `version` is, too, but a long one serves for a while as it is, so that a source that changes all the time is not read
 * all the time.
 */
export type Keep = <T extends { length: number }>(
  name: string,
  from: { inputs: readonly unknown[]; version?: string },
  make: () => Promise<T>,
) => Promise<T>;

interface Kept {
  inputs: readonly unknown[];
  version: string | undefined;
  value: { length: number } | undefined;
  making: Promise<{ length: number }> | undefined;
  madeMs: number;
  costMs: number;
}

/** Of what is read from a source, and of what is made of that: many lists drive out no column. */
const mostKept = 8;
/** A shorter one is never outdated. */
const long = 10_000;
/** An outdated one serves this many times as long as it took to make. */
const restShare = 8;

export function keeper(): Keep {
  /** The one that was used last is at the end. */
  const all = new Map<string, Kept>();

  function serves(kept: Kept, version: string | undefined): boolean {
    if (!kept.value) return false;
    if (kept.version === version) return true;
    return kept.value.length >= long && performance.now() - kept.madeMs < restShare * kept.costMs;
  }

  async function begin(kept: Kept, make: () => Promise<{ length: number }>): Promise<{ length: number }> {
    const started = performance.now();
    try {
      kept.value = await make();
      kept.madeMs = performance.now();
      kept.costMs = kept.madeMs - started;
      return kept.value;
    } finally {
      kept.making = undefined;
    }
  }

  /** What was made of it is of no use any more. */
  function dropDerived(value: unknown): void {
    for (const [name, kept] of all) {
      if (!kept.inputs.includes(value)) continue;
      all.delete(name);
      if (kept.value) dropDerived(kept.value);
    }
  }

  function dropOldest(like: Kept): void {
    const alike = [...all].filter(
      ([, kept]) => (kept.version === undefined) === (like.version === undefined),
    );
    for (const [name, kept] of alike.slice(0, -mostKept)) if (!kept.making) all.delete(name);
  }

  return async function keep<T extends { length: number }>(
    name: string,
    { inputs, version }: { inputs: readonly unknown[]; version?: string },
    make: () => Promise<T>,
  ): Promise<T> {
    const before = all.get(name);
    const isSame =
      before?.inputs.length === inputs.length && before.inputs.every((input, i) => input === inputs[i]);
    if (before) all.delete(name);
    if (before && isSame && (before.making || serves(before, version))) {
      all.set(name, before);
      return (before.making ?? before.value) as Promise<T>;
    }
    if (before?.value) dropDerived(before.value);
    const kept: Kept = { inputs, version, value: undefined, making: undefined, madeMs: 0, costMs: 0 };
    all.set(name, kept);
    dropOldest(kept);
    kept.making = begin(kept, make);
    return kept.making as Promise<T>;
  };
}

const stepMs = 10;

/** Does `work` for 0, 1, …, and lets the event loop run every 10 ms. */
export async function inSteps(count: number, work: (i: number) => void): Promise<void> {
  let started = performance.now();
  for (let i = 0; i < count; i++) {
    work(i);
    if (i % 1024 !== 1023 || performance.now() - started < stepMs) continue;
    await setImmediate();
    started = performance.now();
  }
}
