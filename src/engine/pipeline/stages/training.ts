import { existsSync } from "node:fs";
import { rm, statfs } from "node:fs/promises";
import path from "node:path";
import type { HeadDone, HeadFacts } from "../../../protocol/head.ts";
import type { StudentCard } from "../../../protocol/student.ts";
import type { TrainerDone, TrainerMessage } from "../../../protocol/trainer.ts";
import { bytes } from "../../../words/figure.ts";
import { quoted, say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { writeFileAtomic, writeJson } from "../../base/files.ts";
import { keyOf } from "../../base/keys.ts";
import { type ProcessLock, waitForLock } from "../../base/processLock.ts";
import { version } from "../../base/version.ts";
import { nameIn, type Project } from "../../config/project.ts";
import { tensorLockFile } from "../../dataset/cacheUse.ts";
import type { Catalog } from "../../dataset/catalog.ts";
import { failuresIn } from "../../failures/list.ts";
import { tellFailures } from "../../failures/words.ts";
import { maxPixelsOf } from "../../images/limits.ts";
import {
  type CacheEncoding,
  type CacheFailure,
  cacheFailures,
  encodingFor,
  openTensorCache,
  writeTensorCache,
} from "../../images/tensorCache.ts";
import { geometry, type StudentInput } from "../../images/views.ts";
import { targetsOf } from "../../mos/complete.ts";
import { csvLine } from "../../tables/csvText.ts";
import type { TargetRows, TrainingRow } from "../plan/types.ts";
import type { StageOptions } from "../stage.ts";

/** The decoded images of a training; they stay until they are released. */
export interface TrainingCache {
  dir: string;
  rowOf: Map<string, number>;
  /** Images that could not be decoded. */
  failed: CacheFailure[];
  release(): void;
}

/**
 * Decodes the train and val images once into the memory-mapped cache that all trainings of this dataset share, in whatever
 * processes they run. Test images are never in it.
 */
export async function trainingCache(
  project: Project,
  catalog: Catalog,
  stage: "distill" | "calibrate",
  options: StageOptions,
): Promise<TrainingCache> {
  const { resize, crop, views, decode: how } = project.config.student.input;
  const hashes = catalog.hashes.filter((hash) => catalog.splitOf(hash) !== "test");
  const whole = views === "whole" && { whole: true };
  const digest = catalog.digestOf(hashes);
  const dirOf = (encoding: CacheEncoding) => {
    const kind = { ...whole, ...(how && { decode: how }), ...(encoding === "webp" && { encoding }) };
    const key = keyOf({ geometry: 1, resize, crop, ...kind, hashes: digest });
    return path.join(project.cache, "tensors", key);
  };
  const encoding = await chosenEncoding();
  const dir = dirOf(encoding);
  const { release } = await decoded();
  const rowOf = new Map(hashes.map((hash, row) => [hash, row]));
  return { dir, rowOf, failed: await cacheFailures(dir), release };

  /** What there is already is used; else by the room that there is. */
  async function chosenEncoding(): Promise<CacheEncoding> {
    const wanted = project.config.python.cache;
    if (wanted !== "auto") return wanted;
    for (const there of ["raw", "webp"] as const) if (await isCached(dirOf(there))) return there;
    const { bavail, bsize } = await statfs(project.root);
    const [raw, free] = [rawBytes(catalog, hashes.length, project.config.student.input), bavail * bsize];
    const chosen = encodingFor(wanted, raw, free);
    if (chosen === "webp")
      options.onNote?.(
        say`Decoded pictures would take ${bytes(raw)} of the ${bytes(free)} that are free: they are kept as lossless WebP (\`python.cache\`).`,
      );
    return chosen;
  }

  async function decoded(): Promise<ProcessLock> {
    const lockFile = tensorLockFile(dir);
    const { signal } = options;
    for (;;) {
      // While another decodes, however long that takes.
      const reading = await waitForLock(lockFile, {
        mode: "shared",
        waitMs: Number.POSITIVE_INFINITY,
        signal,
      });
      if (reading && (await isCached(dir))) return reading;
      reading?.release();
      const writing = await waitForLock(lockFile, { signal });
      try {
        if (writing) await decode();
      } finally {
        writing?.release();
      }
    }
  }

  async function decode(): Promise<void> {
    if (await isCached(dir)) return;
    await rm(dir, { recursive: true, force: true });
    const items = hashes.map((hash) => ({ hash, path: catalog.pathOf(hash) }));
    decodedHere.add(dir);
    await writeTensorCache(dir, items, project.config.student.input, {
      stage,
      total: items.length,
      maxPixels: maxPixelsOf(project.config),
      encoding,
      signal: options.signal,
      onProgress: options.onProgress,
    });
  }
}

/** Images whose sizes stand for those of all. */
const measured = 1000;

/** What so many decoded pictures of the dataset take. */
export function rawBytes({ index }: Pick<Catalog, "index">, images: number, input: StudentInput): number {
  let [sum, n] = [0, 0];
  for (const { width, height, error } of index.iterate()) {
    if (error || !width || !height) continue;
    const { cached } = geometry(width, height, input);
    sum += 3 * cached.width * cached.height;
    if (++n === measured) break;
  }
  return n === 0 ? 0 : (images * sum) / n;
}

/**
 * Tells which of the images that a training would learn from could not be decoded, and leaves the list in the stage's folder.
 * Throws LeafError `input` where fewer than two are left.
 */
export async function tellUndecoded(
  project: Project,
  stage: "distill" | "calibrate",
  dir: string,
  used: readonly string[],
  failed: readonly CacheFailure[],
  options: StageOptions,
): Promise<number> {
  const list = failuresIn(dir);
  const wanted = new Set(used);
  let count = 0;
  for (const { hash, path: file, reason } of failed) {
    if (!wanted.has(hash)) continue;
    count++;
    list.add({ kind: "decode", file: nameIn(project, file), reason });
  }
  const failures = await list.finish();
  if (failures && used.length - count < 2) {
    throw new LeafError(
      "input",
      say`${count} of the ${used.length} images to learn from cannot be decoded: too few are left to train.`,
      { failures, remedy: say`Run \`leaf check\`, and repair or exclude these files.` },
    );
  }
  tellFailures(failures, stage, options.onWarning);
  return count;
}

/** All images that distill may learn from, without a target. */
export function* untargetedRows(catalog: Catalog): Generator<TrainingRow> {
  for (const hash of catalog.hashes) {
    const split = catalog.splitOf(hash);
    if (split !== "test") yield { hash, split, target: null };
  }
}

/** With the targets beside the main one an image has a row if it has a score of any. */
export async function writeRows(
  file: string,
  rows: Iterable<TrainingRow>,
  rowOf: Map<string, number>,
  targets: readonly TargetRows[] = [],
): Promise<void> {
  const given = [...rows];
  if (targets.length > 0) return writeFileAtomic(file, textOfSeveral(given, rowOf, targets));
  const weighed = given.some(({ weight }) => weight !== undefined);
  let text = csvLine(["row", "split", "target", ...(weighed ? ["weight"] : [])]);
  for (const { hash, split, target, weight } of given)
    text += csvLine([rowOf.get(hash)!, split, target, ...(weighed ? [weight ?? 1] : [])]);
  await writeFileAtomic(file, text);
}

function textOfSeveral(
  main: readonly TrainingRow[],
  rowOf: Map<string, number>,
  targets: readonly TargetRows[],
): string {
  const known = new Map(main.map((row) => [row.hash, row]));
  for (const { rows } of targets)
    for (const row of rows) if (!known.has(row.hash)) known.set(row.hash, { ...row, target: null });
  const beside = targets.map(({ rows }) => new Map(rows.map(({ hash, target }) => [hash, target])));
  let text = csvLine(["row", "split", "target", "weight", ...targets.map(({ name }) => name)]);
  for (const { hash, split, target, weight } of known.values())
    text += csvLine([
      rowOf.get(hash)!,
      split,
      target,
      weight ?? 1,
      ...beside.map((scores) => scores.get(hash) ?? null),
    ]);
  return text;
}

/** Keeps what the trainer said of its environment, for the student's card. */
export function trainerWitness(
  stage: "distill" | "calibrate",
  options: StageOptions,
): { onMessage: (message: TrainerMessage) => void; hello: { torch: string; device: string } } {
  const hello = { torch: "", device: "" };
  return {
    hello,
    onMessage(message) {
      if (message.type === "hello")
        Object.assign(hello, { torch: message.torch, device: message.deviceName || message.device });
      if (message.type === "notice")
        return options.onWarning?.(quoted([message.message, message.remedy].filter(Boolean).join(" ")));
      options.onTrainer?.(stage, message);
    },
  };
}

export interface CardFacts {
  stage: StudentCard["stage"];
  stageKey: string;
  teacher: string | null;
  images: number;
  mosScale: StudentCard["mosScale"];
  /** Where there are several. */
  targets?: StudentCard["targets"];
}

/** Which outputs are whose, the main target first; nothing where it is the only one. Before calibration all are on 1..5. */
export function cardTargets(
  { config }: Project,
  beside: readonly { name: string }[],
  scales: readonly Pick<TargetRows, "name" | "range" | "lowerIsBetter">[] = [],
  closed?: HeadDone,
): { targets?: StudentCard["targets"] } {
  const [main] = targetsOf(config.mos);
  if (!main || beside.length === 0) return {};
  return {
    targets: [main, ...beside].map(({ name }, i) => {
      const suffix = i === 0 ? "" : `_${name}`;
      const scale = scales.find((one) => one.name === name);
      const head = closed?.targets?.find((one) => one.name === name)?.facts;
      return {
        name,
        score: `score${suffix}`,
        sd: closed ? `sd${suffix}` : null,
        mosScale: { range: scale?.range ?? [1, 5], lowerIsBetter: scale?.lowerIsBetter ?? false },
        ...(head && { head }),
      };
    }),
  };
}

/** Writes `student.json` beside the exported `student.onnx`. */
export async function writeCard(
  project: Project,
  dir: string,
  facts: CardFacts,
  done: Pick<TrainerDone, "parameters" | "exportMaxDifference" | "domain" | "levels"> & { head?: HeadFacts },
  hello: { torch: string; device: string },
): Promise<void> {
  if (!existsSync(path.join(dir, "student.onnx")))
    throw new LeafError("failed", say`The trainer ended without exporting a student.`, {
      remedy: say`See trainer.log.`,
    });
  const { model, input } = project.config.student;
  const card: StudentCard = {
    v: 1,
    stage: facts.stage,
    model,
    input,
    mosScale: facts.mosScale,
    ...(facts.targets && { targets: facts.targets }),
    parameters: done.parameters,
    exportMaxDifference: done.exportMaxDifference,
    outputs: [
      "features",
      "map",
      ...(done.domain ? (["distance"] as const) : []),
      "levels",
      ...(done.head ? (["sd"] as const) : []),
    ],
    domain: done.domain,
    levels: done.levels,
    ...(done.head && { head: done.head }),
    provenance: {
      leaf: version,
      created: new Date().toISOString(),
      stageKey: facts.stageKey,
      teacher: facts.teacher,
      images: facts.images,
      ...hello,
    },
  };
  await writeJson(path.join(dir, "student.json"), card);
}

/** Caches that this process wrote. One of another that lacks files that changed meanwhile is written anew: they may be back. */
const decodedHere = new Set<string>();

async function isCached(dir: string): Promise<boolean> {
  const cache = await openTensorCache(dir).catch(() => undefined);
  await cache?.close();
  return cache !== undefined && (cache.passing === 0 || decodedHere.has(dir));
}
