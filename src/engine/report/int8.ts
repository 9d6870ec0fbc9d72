import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Int8Facts, StudentCard } from "../../protocol/student.ts";
import { figure } from "../../words/figure.ts";
import { say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { writeJson } from "../base/files.ts";
import type { Catalog } from "../dataset/catalog.ts";
import { type CacheItem, writeTensorCache } from "../images/tensorCache.ts";
import { srcc } from "../metrics/rank.ts";
import { trainerEnvironment } from "../python/environment.ts";
import { lackedModule, lastLine, ofParent, runPython } from "../python/run.ts";
import { readStudentFiles, studentFiles } from "../student/file.ts";
import { openStudent, scoreImages } from "../student/student.ts";

/** SRCC to the student in floats, below which the one in integers is refused. */
export const leastAgreement = 0.995;
const [mostCalibrating, mostChecking, leastChecking] = [64, 300, 20];

/** Training images to read ranges off, and others to compare on; where validation and test have few, training images too. */
export function imagesForInt8(catalog: Pick<Catalog, "hashes" | "splitOf" | "pathOf">) {
  const items = (hashes: readonly string[]) => hashes.map((hash) => ({ hash, path: catalog.pathOf(hash) }));
  // In the order of their hashes, which is no order of content.
  const training = catalog.hashes.filter((hash) => catalog.splitOf(hash) === "train");
  const others = catalog.hashes.filter((hash) => catalog.splitOf(hash) !== "train");
  const most = Math.min(mostCalibrating, Math.ceil(training.length / 2));
  return {
    calibrating: items(training.slice(0, most)),
    checking: items([...others, ...training.slice(most)].slice(0, mostChecking)),
  };
}

/**
 * Writes a student with convolutions and matrix products in 8-bit integers to the folder `to`, with what it loses in its card. Throws LeafError
 * `failed` where it does not rank the images as the one in `from` does, and `environment`.
 */
export async function writeInt8Student(
  from: string,
  to: string,
  images: { calibrating: CacheItem[]; checking: CacheItem[] },
  options: { interpreter: string; maxPixels?: number; signal?: AbortSignal },
): Promise<StudentCard> {
  const { interpreter, maxPixels, signal } = options;
  const { card } = await readStudentFiles(from);
  const cache = await mkdtemp(path.join(os.tmpdir(), "leaf-int8-"));
  try {
    await writeTensorCache(cache, images.calibrating, card.input, { maxPixels, signal });
    const files = [studentFiles(from).model, studentFiles(to).model, cache];
    const { code, stderr } = await runPython(
      interpreter,
      [...ofParent("leaf.quantize"), ...files, String(card.input.crop), String(card.input.views)],
      { env: trainerEnvironment(), signal },
    );
    throwIfCancelled(signal);
    if (code !== 0)
      throw (
        lackedModule(interpreter, stderr) ??
        new LeafError("failed", say`The student cannot be brought to 8 bits: ${lastLine(stderr)}.`)
      );
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
  await writeJson(studentFiles(to).card, card);
  const int8 = {
    ...compared(
      await scoresOf(from, images.checking, maxPixels, signal),
      await scoresOf(to, images.checking, maxPixels, signal),
    ),
    calibratedOn: images.calibrating.length,
  };
  const found = { ...card, int8 };
  await writeJson(studentFiles(to).card, found);
  return found;
}

/** By image, on 1..5. */
async function scoresOf(
  dir: string,
  items: CacheItem[],
  maxPixels: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Map<string, number>> {
  const student = await openStudent(dir);
  const scores = new Map<string, number>();
  try {
    for await (const one of scoreImages(student, items, { maxPixels, signal }))
      if ("score" in one) scores.set(one.item.hash, one.score);
  } finally {
    await student.close();
  }
  return scores;
}

/** Throws LeafError `failed` with the figure where integers rank the images otherwise, and `input` where there are too few to tell. */
export function compared(
  floats: ReadonlyMap<string, number>,
  integers: ReadonlyMap<string, number>,
): Omit<Int8Facts, "calibratedOn"> {
  const both = [...floats].flatMap(([hash, a]) => {
    const b = integers.get(hash);
    return b === undefined ? [] : [[a, b] as const];
  });
  if (both.length < leastChecking)
    throw new LeafError(
      "input",
      say`${both.length} images are too few to tell what the student loses in 8 bits: ${leastChecking} are needed.`,
    );
  const found =
    srcc(
      Float64Array.from(both, ([a]) => a),
      Float64Array.from(both, ([, b]) => b),
    ) ?? 0;
  const largest = Math.max(...both.map(([a, b]) => Math.abs(a - b)));
  if (found < leastAgreement)
    throw new LeafError(
      "failed",
      say`In 8 bits the student ranks ${both.length} images too differently: SRCC ${figure(found, 4)} to the one in floats, less than ${leastAgreement}.`,
      { remedy: say`Export it without --int8.` },
    );
  return { srcc: found, largest, images: both.length };
}
