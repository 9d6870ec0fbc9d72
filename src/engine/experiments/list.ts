import { readdir } from "node:fs/promises";
import path from "node:path";
import type { ExperimentStanding } from "../../protocol/experiments.ts";
import { explainFileSystemError, LeafError, messageOf } from "../base/errors.ts";
import { experimentName, isExperimentFile, openExperiment } from "./file.ts";
import { experimentKey, readResultFile } from "./result.ts";

export interface ListedExperiment extends ExperimentStanding {
  /** Relative to the folder. */
  file: string;
  /** File name of its base config; null where neither the file nor a result tells. */
  base: string | null;
}

/** The experiment files of a folder, each with how far it is. */
export async function listExperiments(dir: string): Promise<ListedExperiment[]> {
  let names: string[];
  try {
    names = (await readdir(dir)).filter(isExperimentFile).sort();
  } catch (error) {
    throw explainFileSystemError(error, "read", dir);
  }
  const listed: ListedExperiment[] = [];
  for (const file of names) listed.push(await statusOfExperiment(path.join(dir, file)));
  return listed;
}

/** How far an experiment is by its last result; what is wrong with its file is told, not thrown. */
export async function statusOfExperiment(file: string): Promise<ListedExperiment> {
  const name = experimentName(file);
  const result = await readResultFile(path.dirname(file), name);
  const known = {
    name,
    file: path.basename(file),
    done: result?.done ?? 0,
    failed: result?.failed ?? 0,
    updated: result?.updated ?? null,
    base: result?.base ?? null,
  };
  try {
    const open = await openExperiment(file);
    const total = open.cells.length * open.experiment.seeds.length;
    const stale = result !== undefined && result.key !== experimentKey(open);
    return {
      ...known,
      ...(stale ? { done: 0, failed: 0 } : {}),
      base: path.basename(open.base),
      rows: open.cells.length,
      total,
      stale,
      invalid: null,
    };
  } catch (error) {
    if (!(error instanceof LeafError)) throw error;
    return { ...known, rows: 0, total: result?.total ?? 0, stale: false, invalid: messageOf(error) };
  }
}
