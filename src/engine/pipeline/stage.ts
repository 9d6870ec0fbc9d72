import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { z } from "zod";
import type { StageName } from "../../protocol/results.ts";
import { finished } from "../../protocol/schema/results.ts";
import type { Text } from "../../protocol/text.ts";
import type { TrainerMessage } from "../../protocol/trainer.ts";
import { say } from "../../words/text.ts";
import { explainFileSystemError, LeafError } from "../base/errors.ts";
import { writeFileAtomic } from "../base/files.ts";
import { checkedId, inside } from "../base/ids.ts";
import { readJsonAs, readJsonNow } from "../base/json.ts";
import { redactValue } from "../base/redact.ts";
import type { Project } from "../config/project.ts";
import { type Catalog, type CatalogOptions, openCatalog } from "../dataset/catalog.ts";

/** What every stage gets from the command line or the server. */
export interface StageOptions extends Omit<CatalogOptions, "onFailure"> {
  onTrainer?: (stage: "distill" | "calibrate", message: TrainerMessage) => void;
  /** A line worth keeping on what does the work, such as what a teacher's server can do. */
  onNote?: (message: Text) => void;
  /** A stage of the pipeline has finished, or was fresh. */
  onStage?: (stage: StageName, result: unknown) => void;
  /** Open already, and left open: the caller knows that it is current. */
  catalog?: Catalog;
  /** CPU threads of a training that the config leaves open; several trainings share the cores. */
  threads?: number;
}

/** A stage whose work cannot be named yet, since it depends on the output of one before it. */
export class StageNotReady extends LeafError {
  constructor(message: Text, remedy: Text) {
    super("failed", message, { remedy });
  }
}

/**
 * The folder of one stage's output under its key; `result.json`, written last, says that it is finished. Throws LeafError `input`
 * for what is no key, and for a link out of `.leaf/`.
 */
export function stageDir(project: Project, stage: StageName, key: string): string {
  return inside(project.leaf, "stages", stage, checkedId("key", key));
}

/** A result that does not fit is none: the stage is done again. */
export function isFinished(project: Project, stage: StageName, key: string): boolean {
  return readJsonNow<unknown>(resultFile(project, stage, key), finished[stage]) !== undefined;
}

/** Whether the student of a finished stage is there; somebody may have removed it. */
export function hasStudent(dir: string): boolean {
  return ["student.onnx", "student.json"].every((name) => existsSync(path.join(dir, name)));
}

/** Whether a stage is finished and all there: of a training, its student too. */
export function isWhole(project: Project, stage: StageName, key: string): boolean {
  const trains = stage === "distill" || stage === "calibrate";
  return isFinished(project, stage, key) && (!trains || hasStudent(stageDir(project, stage, key)));
}

export async function readResult<S extends StageName>(
  project: Project,
  stage: S,
  key: string,
): Promise<FinishedStage<S> | undefined> {
  return readJsonAs(
    resultFile(project, stage, key),
    finished[stage] as unknown as z.ZodType<FinishedStage<S>>,
  );
}

/** The result of a stage that has just been found or made finished. Throws LeafError `failed` where it is gone all the same. */
export async function finishedResult<S extends StageName>(
  project: Project,
  stage: S,
  key: string,
): Promise<FinishedStage<S>> {
  const result = await readResult(project, stage, key);
  if (result) return result;
  const file = resultFile(project, stage, key);
  throw new LeafError("failed", say`The result of ${stage} is gone: ${file} cannot be read.`, {
    file,
    remedy: say`Run \`leaf ${stage}\` again.`,
  });
}

export type FinishedStage<S extends StageName> = z.output<(typeof finished)[S]>;

function resultFile(project: Project, stage: StageName, key: string): string {
  return path.join(stageDir(project, stage, key), "result.json");
}

/** Written last: with it the stage is finished. `inputs` say what it was done with. */
export async function writeResult(
  project: Project,
  { stage, key, inputs }: { stage: StageName; key: string; inputs: Record<string, unknown> },
  result: object,
): Promise<void> {
  const text = JSON.stringify(redactValue({ ...result, inputs }), null, 2);
  await writeFileAtomic(resultFile(project, stage, key), `${text}\n`);
}

export async function makeStageDir(project: Project, stage: StageName, key: string): Promise<string> {
  const dir = stageDir(project, stage, key);
  try {
    await mkdir(dir, { recursive: true });
  } catch (error) {
    throw explainFileSystemError(error, "create", dir);
  }
  return dir;
}

/** Does some work on the images, scores and splits as they are now. */
export async function withCatalog<T>(
  project: Project,
  options: StageOptions,
  work: (catalog: Catalog) => Promise<T>,
): Promise<T> {
  if (options.catalog) return work(options.catalog);
  const catalog = await openCatalog(project, options);
  try {
    return await work(catalog);
  } finally {
    catalog.close();
  }
}
