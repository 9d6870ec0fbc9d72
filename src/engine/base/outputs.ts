import { chmod, link, mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { errnoCode, LeafError } from "./errors.ts";
import { hashBytes, hashFile, temporaryName, withFileErrors } from "./files.ts";
import { recordOutput, writtenHash } from "./outputRegistry.ts";
import { whatElse } from "./regularFile.ts";
import { isSamePlace, type Place, placeOf } from "./sameFile.ts";

/** A file that LEAF reads, and what it is to the user: "the human scores". */
export interface InputFile {
  file: string;
  what: Text;
}

/** What a command may write over: by default only what LEAF itself wrote and nobody has changed since. */
export interface OutputRules {
  /** Write over any other file too, but never over an input. */
  force?: boolean;
  /** The project's list of what LEAF wrote; without one every file that is there is someone's. */
  registry?: string;
  inputs?: readonly InputFile[];
  /** What else is an input: says what the file is. It is not asked about a file that LEAF wrote. */
  inputAt?: (place: Place) => Promise<Text | undefined>;
  /** Instead of the command line's. */
  remedy?: Text;
}

/**
 * Throws a LeafError `usage` for a file that may not be written over, `failed` for what is no file. To be asked of all files before the work is done, and before any
 * of them is written.
 */
export async function checkOutputs(files: readonly string[], rules: OutputRules): Promise<void> {
  for (const file of files) await allowedPlace(file, rules);
}

/** Writes a file for the user; one that holds the same already stays. Throws as `checkOutputs`, and LeafErrors `failed` of the disk. */
export async function writeOutput(
  file: string,
  data: string | Uint8Array,
  rules: OutputRules = {},
): Promise<void> {
  const place = await placeOf(file);
  const bytes = Buffer.from(data);
  if (place.stats?.isFile() && Number(place.stats.size) === bytes.length)
    if ((await hashOf(place.path)) === hashBytes(bytes)) return;
  await withOutput(file, rules, (temporary) => writeFile(temporary, bytes));
}

/**
 * Writes the whole file or nothing: `write` writes to a temporary name, which then takes the file's. The file keeps its mode, and
 * a link stays a link.
 */
export async function withOutput<T>(
  file: string,
  rules: OutputRules,
  write: (temporary: string) => Promise<T>,
): Promise<T> {
  const place = await allowedPlace(file, rules);
  const temporary = temporaryName(place.path);
  return withFileErrors("write", file, async () => {
    await mkdir(path.dirname(place.path), { recursive: true });
    try {
      const result = await write(temporary);
      const { hash } = await hashFile(temporary);
      const handle = await open(temporary, "r+");
      await handle.sync().finally(() => handle.close());
      if (place.stats) await replace(file, temporary, place, rules);
      else await add(file, temporary, place.path, rules);
      if (rules.registry) await recordOutput(rules.registry, place.path, hash);
      return result;
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

async function allowedPlace(file: string, rules: OutputRules): Promise<Place> {
  const place = await placeOf(file);
  const { stats } = place;
  if (stats && !stats.isFile())
    throw new LeafError("failed", say`Cannot write ${file}: ${whatElse(stats)}.`, {
      file,
      remedy: say`Name a file.`,
    });
  for (const input of rules.inputs ?? [])
    if (isSamePlace(place, await placeOf(input.file))) throw overInput(file, input.what);
  const written = rules.registry && (await writtenHash(rules.registry, place.path));
  if (stats && written && written === (await hashOf(place.path))) return place;
  const what = await rules.inputAt?.(place);
  if (what !== undefined) throw overInput(file, what);
  if (!stats || rules.force) return place;
  throw taken(
    file,
    rules,
    written
      ? say`${file} was changed since LEAF wrote it.`
      : say`${file} is there and LEAF did not write it.`,
  );
}

async function hashOf(file: string): Promise<string> {
  return withFileErrors("read", file, async () => (await hashFile(file)).hash);
}

/** Gives a new file its name, unless another has taken it meanwhile. */
async function add(file: string, temporary: string, target: string, rules: OutputRules): Promise<void> {
  try {
    await link(temporary, target);
  } catch (error) {
    if (errnoCode(error) === "EEXIST" && !rules.force)
      throw taken(file, rules, say`${file} was written by another program just now.`);
    // Disks without links, such as FAT.
    await rename(temporary, target);
  }
}

async function replace(file: string, temporary: string, { path: target, stats }: Place, rules: OutputRules) {
  const now = await stat(target, { bigint: true }).catch(() => undefined);
  const isSame = now && now.ino === stats!.ino && now.size === stats!.size && now.mtimeNs === stats!.mtimeNs;
  if (!isSame && !rules.force)
    throw taken(file, rules, say`${file} was changed by another program just now.`);
  await chmod(temporary, Number(stats!.mode) & 0o777);
  await rename(temporary, target);
}

function taken(file: string, { remedy }: OutputRules, message: Text): LeafError {
  return new LeafError("usage", message, {
    file,
    remedy: remedy ?? say`Give another name, or overwrite it with --force.`,
  });
}

function overInput(file: string, what: Text): LeafError {
  return new LeafError("usage", say`${file} is ${what}: LEAF never writes over its inputs.`, {
    file,
    remedy: say`Give another name.`,
  });
}
