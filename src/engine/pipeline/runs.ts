import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { LRUCache } from "lru-cache";
import type { RunRecord, StageName } from "../../protocol/results.ts";
import { runRecord } from "../../protocol/schema/results.ts";
import { inEnglish, quoted, say } from "../../words/text.ts";
import { tellDamagedFile } from "../base/damage.ts";
import { errnoCode, explainFileSystemError, isCancelled, LeafError, messageOf } from "../base/errors.ts";
import { fileState } from "../base/fileState.ts";
import { writeFileAtomic } from "../base/files.ts";
import { gitHead } from "../base/gitHead.ts";
import { checkedId, inside, isId } from "../base/ids.ts";
import { firstIssue, readJsonAs } from "../base/json.ts";
import { canonicalJson, keyOf } from "../base/keys.ts";
import { waitForLock } from "../base/processLock.ts";
import { redactConfig, redactValue, secretsKnown } from "../base/redact.ts";
import { version } from "../base/version.ts";
import { type Config, configSchema } from "../config/config.ts";
import type { Project } from "../config/project.ts";
import { asItIsNow, because } from "./runState.ts";

/** The folder of a run. Throws LeafError `input` for what is no run's id, and for a link out of `.leaf/`. */
export function runDir(project: Project, id: string): string {
  return inside(project.leaf, "runs", checkedId("run", id));
}

/** All runs of a project as they are now, oldest first. Folders without a run.json that fits are told and passed over. */
export async function listRuns(project: Project): Promise<RunRecord[]> {
  return (await readRuns(project)).runs;
}

/** The same, and the run.json files that cannot be read, so that what stands on them is not known, or that are not there. */
export async function readRuns(
  project: Project,
): Promise<{ runs: RunRecord[]; unreadable: string[]; missing: string[] }> {
  const names = await runNames(project);
  const [unreadable, missing]: [string[], string[]] = [[], []];
  const found = await Promise.all(
    names.map(async (name) => {
      const run = await knownRun(project, name);
      // Whoever gets it may change it.
      if (run) return asItIsNow(project, { ...run });
      const file = path.join(project.runs, name, "run.json");
      (existsSync(file) ? unreadable : missing).push(file);
      return undefined;
    }),
  );
  const runs = found.filter((run) => run !== undefined);
  return { runs: runs.sort((a, b) => numberOf(a.id) - numberOf(b.id)), unreadable, missing };
}

/** Runs as they were read and redacted: nearly all are as they were at the last look. Some 10 kB each. */
const known = new LRUCache<string, { state: string; secrets: unknown; run: RunRecord }>({ max: 2000 });

/** A run that was read before is read again only where somebody has written its file. */
async function knownRun(project: Project, name: string): Promise<RunRecord | undefined> {
  const file = path.join(project.runs, name, "run.json");
  const state = fileState(file)?.state;
  const secrets = secretsKnown();
  const had = known.get(file);
  if (had && had.state === state && had.secrets === secrets) return had.run;
  const run = await readRun(project, name);
  if (!run) return undefined;
  // A run of a version before this one may hold keys.
  const redacted = { ...run, config: redactConfig(run.config) };
  if (state !== undefined) known.set(file, { state, secrets, run: redacted });
  return redacted;
}

async function runNames(project: Project): Promise<string[]> {
  try {
    return (await readdir(project.runs)).filter((name) => isId("run", name));
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return [];
    throw explainFileSystemError(error, "read", project.runs);
  }
}

/** A run is what its folder says it is: another id would lead elsewhere. */
export async function readRun(project: Project, id: string): Promise<RunRecord | undefined> {
  const file = path.join(project.runs, id, "run.json");
  try {
    const run = await readJsonAs<RunRecord>(runFile(project, id), runRecord);
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
  throw new LeafError("input", say`The config of ${run.id} does not fit: ${firstIssue(parsed.error)}.`, {
    remedy: say`It may be of another version of LEAF: run \`leaf run\` again.`,
  });
}

function numberOf(id: string): number {
  return Number(id.slice(1));
}

const runFile = (project: Project, id: string) => path.join(runDir(project, id), "run.json");

/**
 * The run that a stage's work belongs to: the newest run of the same resolved config whose earlier stages stand on the
 * same keys, or a new one. So one config carried through the stages is one run, and a changed config never overwrites one.
 */
export async function runFor(project: Project, keys: Partial<Record<StageName, string>>): Promise<RunRecord> {
  const known = sameRun(project, keys, await listRuns(project));
  if (known) return known;
  const commit = await gitHead(project.root);
  return changingRuns(project, async () => {
    const runs = await listRuns(project);
    const same = sameRun(project, keys, runs);
    if (same) return same;
    const now = new Date().toISOString();
    const run: RunRecord = {
      v: 1,
      id: await newFolder(project, runs.reduce((most, one) => Math.max(most, numberOf(one.id)), 0) + 1),
      configFile: path.basename(project.configFile),
      configHash: hashOf(project),
      config: redactConfig(project.config),
      created: now,
      updated: now,
      state: "running",
      stages: {},
      versions: { leaf: version, node: process.version },
      gitCommit: commit,
      ...(project.experiment ? { experiment: project.experiment } : {}),
    };
    await writeRun(project, run);
    return run;
  });
}

/** Without secrets: they change no result, and from a digest a short one could be found by trying. */
function hashOf({ config }: Project): string {
  return keyOf(redactConfig(config));
}

function sameRun(
  project: Project,
  keys: Partial<Record<StageName, string>>,
  runs: RunRecord[],
): RunRecord | undefined {
  const configHash = hashOf(project);
  const configFile = path.basename(project.configFile);
  return runs.findLast(
    (run) =>
      run.configHash === configHash &&
      run.configFile === configFile &&
      canonicalJson(run.experiment ?? null) === canonicalJson(project.experiment ?? null) &&
      Object.entries(keys).every(([name, key]) => {
        const had = run.stages[name as StageName]?.key;
        return had === undefined || had === key;
      }),
  );
}

/** The folder of a run that is new; one may be there that has no readable run.json. */
async function newFolder(project: Project, first: number): Promise<string> {
  await mkdir(inside(project.leaf, "runs"), { recursive: true });
  for (let next = first; ; next++) {
    try {
      await mkdir(path.join(project.runs, `r${next}`));
      return `r${next}`;
    } catch (error) {
      if (errnoCode(error) !== "EEXIST") throw explainFileSystemError(error, "createRun", project.runs);
    }
  }
}

/** A stage of the run is worked on from now on, by who holds that stage's lock. */
export function beginStage(project: Project, run: RunRecord, stage: StageName, key: string): Promise<void> {
  return changeRun(project, run, { state: "running", working: { stage, key }, ...because(null) });
}

/** Adds a finished stage to its run. */
export function recordStage(
  project: Project,
  run: RunRecord,
  stage: StageName,
  entry: { key: string; seconds: number; result: unknown },
): Promise<void> {
  return changeRun(project, run, (now) => ({
    state: "done",
    working: null,
    ...because(null),
    stages: { ...now.stages, [stage]: entry },
  }));
}

/** The work on a stage of the run has ended with an error. */
export function recordFailure(project: Project, run: RunRecord, error: unknown): Promise<void> {
  const cancelled = isCancelled(error);
  const why = error instanceof LeafError ? error.words.message : quoted(messageOf(error));
  return changeRun(project, run, {
    state: cancelled ? "cancelled" : "failed",
    working: null,
    ...because(cancelled && inEnglish(why) === "Cancelled." ? null : why),
  });
}

/** Changes what is on the disk now, which another process may have written since `run` was read; `run` becomes that. */
export async function changeRun(
  project: Project,
  run: RunRecord,
  change: Partial<RunRecord> | ((now: RunRecord) => Partial<RunRecord>),
): Promise<void> {
  await changingRuns(project, async () => {
    const now = (await readRun(project, run.id)) ?? run;
    Object.assign(run, now, typeof change === "function" ? change(now) : change);
    await writeRun(project, run);
  });
}

async function writeRun(project: Project, run: RunRecord): Promise<void> {
  run.updated = new Date().toISOString();
  await writeFileAtomic(runFile(project, run.id), `${JSON.stringify(redactValue(run), null, 2)}\n`);
}

/** One at a time, in all processes; each for some milliseconds. */
async function changingRuns<T>(project: Project, work: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(path.join(project.leaf, "runs.lock"), { waitMs: 30_000 });
  if (!lock) {
    throw new LeafError("failed", say`Another process has been writing the list of runs for half a minute.`, {
      file: project.runs,
      remedy: say`Wait for it, or stop it, then run the command again.`,
    });
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
