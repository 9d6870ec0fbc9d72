import { type Stats, statSync } from "node:fs";
import { stat } from "node:fs/promises";

/** What is at a path, or why that cannot be told. */
export type Look = { stats: Stats; error?: undefined } | { stats?: undefined; error: unknown };

/** Milliseconds a file: a local disk takes a hundredth of it. */
const slowMs = 0.5;
const enoughToTell = 32;

/**
 * Looks at files. On a local disk a call that waits takes a few microseconds and one through the thread pool ten times as many, so
 * files are looked at one after the other; once a disk turned out to be slow, such as one behind a network, many at a time.
 */
export function fileLooks(): (files: readonly string[]) => Promise<Look[]> {
  let isSlow = false;
  return async (files) => {
    if (isSlow) return Promise.all(files.map(lookLater));
    const start = performance.now();
    const found = files.map(lookNow);
    isSlow = files.length >= enoughToTell && performance.now() - start > slowMs * files.length;
    return found;
  };
}

function lookNow(file: string): Look {
  try {
    return { stats: statSync(file) };
  } catch (error) {
    return { error };
  }
}

async function lookLater(file: string): Promise<Look> {
  try {
    return { stats: await stat(file) };
  } catch (error) {
    return { error };
  }
}
