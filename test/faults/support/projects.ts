import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { leafJson } from "../../integration/workspace.ts";

/** All labels by image hash, as they would be after an undisturbed run; ids and times are left out. */
export function labelsOf(dir: string): { points: unknown[]; pairs: unknown[] } {
  const db = new DatabaseSync(path.join(dir, ".leaf", "labels.sqlite"), { readOnly: true });
  try {
    const points = db
      .prepare(
        "SELECT hash, status, score, confidence, mass FROM points JOIN images ON images.id = image_id ORDER BY hash",
      )
      .all();
    const pairs = db
      .prepare(
        "SELECT a.hash AS a, b.hash AS b, p, confidence FROM pairs JOIN images a ON a.id = a_id JOIN images b ON b.id = b_id ORDER BY a, b",
      )
      .all();
    return { points, pairs };
  } finally {
    db.close();
  }
}

/** Scores of all images by the newest student. */
export async function scoresOf(dir: string): Promise<{ image: string; score: number }[]> {
  const { scores } = await leafJson<{ scores: { image: string; score: number }[] }>(dir, "score", "photos");
  return scores.map(({ image, score }) => ({ image, score })).sort((a, b) => (a.image < b.image ? -1 : 1));
}

/** A copy of a workspace, without the outputs of these stages; without `label`'s nothing is known any more. */
export function copyWithout(from: string, to: string, stages: readonly string[]): void {
  cpSync(from, to, { recursive: true });
  if (stages.includes("label")) rmSync(path.join(to, ".leaf"), { recursive: true });
  for (const stage of stages)
    rmSync(path.join(to, ".leaf", "stages", stage), { recursive: true, force: true });
}

/** Process ids whose command line or working folder names a folder. Linux only, as these tests are. */
export function processesOf(dir: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dir);
      } catch {
        return false;
      }
    });
}

/** Files under temporary names that something left behind. */
export function leftovers(dir: string): string[] {
  const leaf = path.join(dir, ".leaf");
  if (!existsSync(leaf)) return [];
  return readdirSync(leaf, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".tmp"));
}

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(condition: () => boolean, seconds: number): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(20)) if (condition()) return;
  throw new Error(`It did not happen within ${seconds} s.`);
}
