import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { type Random, randomInt, seededRandom } from "../../../src/engine/base/random.ts";

/** LEAF_FAULTS_SEED draws other faults; LEAF_FAULTS_TIMES=100 draws a hundred times as many, for a night by hand. */
export const seed = process.env.LEAF_FAULTS_SEED ?? "1";
export const times = Math.max(1, Number(process.env.LEAF_FAULTS_TIMES ?? 1));

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "leaf-faults-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/**
 * Does `count` trials (times LEAF_FAULTS_TIMES), each with a random source of its own. The error of one that fails names seed
 * and trial, and the file that the input was kept in.
 */
export async function trials(
  name: string,
  count: number,
  work: (random: Random, keep: (input: Uint8Array | string) => void) => Promise<void> | void,
): Promise<void> {
  const total = Math.ceil(count * times);
  for (let trial = 0; trial < total; trial++) {
    let input: Uint8Array | string = "";
    try {
      await work(seededRandom(seed, name, trial), (kept) => {
        input = kept;
      });
    } catch (error) {
      const file = path.join(tmpdir(), `leaf-fault-${name.replace(/\W+/g, "-")}-${trial}`);
      writeFileSync(file, input);
      throw new Error(`${name}: trial ${trial} of seed ${seed} (input kept in ${file})`, { cause: error });
    }
  }
  console.log(`${name}: ${total} trials`);
}

/** Resolves as `work` does; rejects where that takes longer. For work that can hang, not for benchmarks: limits are wide. */
export async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It took longer than ${seconds} s.`)), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[randomInt(random, items.length)]!;
}
