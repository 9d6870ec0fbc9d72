import { execFile } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import type { RunRecord } from "../protocol/results.ts";
import { runRecord } from "../protocol/schema/results.ts";
import { tellDamagedFile } from "./base/damage.ts";
import { checkedId, inside, isId } from "./base/ids.ts";
import { firstIssue, readJsonAs } from "./base/json.ts";
import { type Config, configSchema } from "./config.ts";
import { errnoCode, explainFileSystemError, LeafError } from "./errors.ts";
import { writeFileAtomic } from "./files.ts";
import { canonicalJson, keyOf } from "./keys.ts";
import type { Project } from "./project.ts";
import type { StageName } from "./stages/stage.ts";
import { version } from "./version.ts";

/** The folder of a run. Throws LeafError `input` for what is no run's id, and for a link out of `.leaf/`. */
export function runDir(project: Project, id: string): string {
  return inside(project.leaf, "runs", checkedId("run", id));
}

/** All runs of a project, oldest first. Folders without a run.json that fits are told and passed over. */
export async function listRuns(project: Project): Promise<RunRecord[]> {
  let names: string[];
  try {
    names = await readdir(project.runs);
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return [];
    throw explainFileSystemError(error, "read", project.runs);
  }
  const found = await Promise.all(
    names.filter((name) => isId("run", name)).map((name) => readRun(project, name)),
  );
  return found
    .filter((run): run is RunRecord => run !== undefined)
    .sort((a, b) => numberOf(a.id) - numberOf(b.id));
}

/** A run is what its folder says it is: another id would lead elsewhere. */
async function readRun(project: Project, id: string): Promise<RunRecord | undefined> {
  const file = path.join(project.runs, id, "run.json");
  try {
    const run = await readJsonAs<RunRecord>(path.join(runDir(project, id), "run.json"), runRecord);
    if (run === undefined || run.id === id) return run;
    tellDamagedFile(file, `it is of the run ${JSON.stringify(run.id)}`);
  } catch (error) {
    if (!(error instanceof LeafError) || error.code !== "input") throw error;
    tellDamagedFile(file, error.message.replace(/\.$/, ""));
  }
  return undefined;
}

/** The resolved config that a run was made with; undefined where it is no config of this version of LEAF. */
export function knownConfig(run: RunRecord): Config | undefined {
  return configSchema.safeParse(run.config).data;
}

/** The same. Throws LeafError `input` where it is none. */
export function configOf(run: RunRecord): Config {
  const parsed = configSchema.safeParse(run.config);
  if (parsed.success) return parsed.data;
  throw new LeafError("input", `The config of ${run.id} does not fit: ${firstIssue(parsed.error)}.`, {
    remedy: "It may be of another version of LEAF: run `leaf run` again.",
  });
}

function numberOf(id: string): number {
  return Number(id.slice(1));
}

/**
 * The run that a stage's work belongs to: the newest run of the same resolved config whose earlier stages stand on the
 * same keys, or a new one. So one config carried through the stages is one run, and a changed config never overwrites one.
 */
export async function runFor(project: Project, keys: Partial<Record<StageName, string>>): Promise<RunRecord> {
  const configHash = keyOf(project.config);
  const configFile = path.basename(project.configFile);
  const runs = await listRuns(project);
  const same = runs.findLast(
    (run) =>
      run.configHash === configHash &&
      run.configFile === configFile &&
      canonicalJson(run.experiment ?? null) === canonicalJson(project.experiment ?? null) &&
      Object.entries(keys).every(([name, key]) => {
        const had = run.stages[name as StageName]?.key;
        return had === undefined || had === key;
      }),
  );
  if (same) return same;
  const now = new Date().toISOString();
  let next = runs.reduce((most, run) => Math.max(most, numberOf(run.id)), 0) + 1;
  await mkdir(inside(project.leaf, "runs"), { recursive: true });
  // mkdir is the lock: two commands at once get two numbers.
  for (;;) {
    try {
      await mkdir(path.join(project.runs, `r${next}`));
      break;
    } catch (error) {
      if (errnoCode(error) !== "EEXIST") throw explainFileSystemError(error, "create a run in", project.runs);
      next++;
    }
  }
  const run: RunRecord = {
    v: 1,
    id: `r${next}`,
    configFile,
    configHash,
    config: project.config,
    created: now,
    updated: now,
    state: "running",
    stages: {},
    versions: { leaf: version, node: process.version },
    gitCommit: await gitCommit(project.root),
    ...(project.experiment ? { experiment: project.experiment } : {}),
  };
  await saveRun(project, run);
  return run;
}

export async function saveRun(project: Project, run: RunRecord): Promise<void> {
  run.updated = new Date().toISOString();
  await writeFileAtomic(path.join(runDir(project, run.id), "run.json"), `${JSON.stringify(run, null, 2)}\n`);
}

/** Adds a finished stage to its run. */
export async function recordStage(
  project: Project,
  run: RunRecord,
  stage: StageName,
  entry: { key: string; seconds: number; result: unknown },
): Promise<void> {
  run.stages[stage] = entry;
  run.state = "done";
  await saveRun(project, run);
}

async function gitCommit(root: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("git", ["rev-parse", "HEAD"], { cwd: root, timeout: 5000 });
    return stdout.trim();
  } catch {
    return null; // Not a repository, or no git.
  }
}
