import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { ProgressSink } from "../../protocol/progress.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { foreignEnvironment } from "../base/environment.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { writeFileAtomic } from "../base/files.ts";
import type { RunResult } from "../base/processes.ts";
import { type ProcessLock, waitForLock } from "../base/processLock.ts";
import { explainPip, isNotOffered } from "./explainPip.ts";
import { ofParent, type RunOptions, runPython } from "./run.ts";
import { findBasePython } from "./supported.ts";
import { hasUv, uvPip, uvSettings, uvVenv } from "./uv.ts";

/** What an environment is made of, and where. */
export interface EnvironmentRecipe<T> {
  dir: string;
  /** A lock: all packages with the hashes of their files. */
  requirements: string;
  /** A lock of PyTorch without CUDA alone: taken first where pip is set to an index or a folder that has it. */
  cpu?: string;
  /** A lock of what PyTorch's CUDA build needs besides. */
  cuda?: string;
  /** Asks the finished interpreter what it is; throws where it cannot train. */
  prove(interpreter: string, signal?: AbortSignal): Promise<T>;
}

export interface MakeOptions {
  signal?: AbortSignal;
  onProgress?: ProgressSink;
}

const waitMs = 500;

export function interpreterIn(dir: string): string {
  return process.platform === "win32"
    ? path.join(dir, "Scripts", "python.exe")
    : path.join(dir, "bin", "python");
}

/** Written last: an environment without it is half made. */
export const readyFile = (dir: string) => path.join(dir, "ready.json");

/**
 * Creates the environment unless it is ready. Of two processes one makes it and the other waits for it. A half-made one is removed
 * first, so that a cut-off set-up can be repeated.
 */
export async function makeEnvironment<T>(
  recipe: EnvironmentRecipe<T>,
  options: MakeOptions = {},
): Promise<T> {
  const { dir, prove } = recipe;
  const { signal } = options;
  if (existsSync(readyFile(dir))) return prove(interpreterIn(dir), signal);
  const file = `${dir}.lock`;
  const lock = await untilFree(file, options);
  try {
    if (existsSync(readyFile(dir))) return await prove(interpreterIn(dir), signal);
    return await build(recipe, options);
  } finally {
    // Windows keeps a file that is open.
    await rm(file, { force: true }).catch(() => {});
    lock.release();
  }
}

/** The lock is the operating system's: it is free again when its process ends, however it ends. */
async function untilFree(file: string, { signal, onProgress }: MakeOptions): Promise<ProcessLock> {
  for (;;) {
    const lock = await waitForLock(file, { waitMs, signal });
    if (lock) return lock;
    onProgress?.({
      stage: "env",
      step: "waiting for another process that sets it up",
      done: 0,
      unit: "packages",
    });
  }
}

async function build<T>(
  { dir, cpu, requirements, cuda, prove }: EnvironmentRecipe<T>,
  options: MakeOptions,
): Promise<T> {
  const { signal } = options;
  const report = reporter(options.onProgress);
  report.step("creating a virtual environment");
  await rm(dir, { recursive: true, force: true });
  await mkdir(path.dirname(dir), { recursive: true });
  const interpreter = interpreterIn(dir);
  const pip = (await uvInstaller(dir, signal)) ?? (await pipInstaller(dir, signal));
  const run = async (doing: Text, args: string[]) => {
    const result = await pip(args, { signal, onLine: report.line });
    if (result.code !== 0) throw explainPip(doing, result);
  };
  // Only what the lock names and only as wheels: an archive of sources would run code, and fetch more, to be built.
  const install = ["install", "--require-hashes", "--no-deps", "--only-binary=:all:", "-r"];
  const doing = say`install the trainer's packages`;
  const without = cpu && (await pip([...install, cpu], { signal, onLine: report.line }));
  if (without && without.code !== 0 && !isNotOffered(without)) throw explainPip(doing, without);
  await run(doing, [...install, requirements]);
  if (cuda && (await asksFor(interpreter, cuda, signal))) await run(doing, [...install, cuda]);
  await run(say`use the trainer's packages`, ["check"]);
  const found = await prove(interpreter, signal);
  await writeFileAtomic(readyFile(dir), `${JSON.stringify(found, null, 2)}\n`);
  return found;
}

/** Runs a command of pip in a new environment. */
type Installer = (args: string[], options: RunOptions) => Promise<RunResult>;

async function pipInstaller(dir: string, signal?: AbortSignal): Promise<Installer> {
  const base = await findBasePython(signal);
  const env = plainPython();
  const made = await runPython(base, [...ofParent("venv"), dir], { signal, env });
  if (made.code !== 0) throw explainPip(say`create a virtual environment`, made);
  return (args, options) =>
    runPython(interpreterIn(dir), [...ofParent("pip"), ...args, "--no-input"], { ...options, env });
}

/** Undefined where there is no uv, or it cannot do here what pip does. */
async function uvInstaller(dir: string, signal?: AbortSignal): Promise<Installer | undefined> {
  if (!(await hasUv(signal))) return undefined;
  const base = await findBasePython(signal).catch((error: unknown) => {
    throwIfCancelled(signal);
    if (!(error instanceof LeafError)) throw error;
    return undefined;
  });
  // A Python without pip has none of its settings.
  const asked = base
    ? (await runPython(base, ["-m", "pip", "config", "list"], { signal, env: plainPython() })).stdout
    : "";
  const settings = uvSettings(asked);
  if (!settings) return undefined;
  if (!(await uvVenv(base, dir, signal))) {
    await rm(dir, { recursive: true, force: true });
    return undefined;
  }
  return (args, options) => uvPip(interpreterIn(dir), args, settings, options);
}

/** Tells what pip or uv is at, by what they print. */
function reporter(onProgress: ProgressSink | undefined) {
  let packages = 0;
  const step = (text: string) => onProgress?.({ stage: "env", step: text, done: packages, unit: "packages" });
  return {
    step,
    line(line: string) {
      const [, what = "", name = ""] =
        /^(Collecting|Downloading|Installing collected packages:|Resolved|Prepared)\s*(\S*)/.exec(
          line.trim(),
        ) ?? [];
      if (what === "Collecting") packages++;
      if (what === "Resolved") packages += Number(name) || 0;
      if (what === "Collecting" || what === "Downloading")
        step(`fetching ${path.posix.basename(name).split(/==|-\d/)[0]}`);
      else if (what === "Resolved") step("fetching packages");
      else if (what) step("installing packages");
    },
  };
}

const torchNeeds = `import importlib.metadata as metadata
try: print("\\n".join(metadata.requires("torch") or []))
except metadata.PackageNotFoundError: pass`;

/** Whether the PyTorch that was installed needs a package of this lock: builds without CUDA do not. */
async function asksFor(interpreter: string, lock: string, signal?: AbortSignal): Promise<boolean> {
  const { stdout } = await runPython(interpreter, ["-c", torchNeeds], { signal, env: plainPython() });
  const names = (text: string) =>
    text.split("\n").flatMap((line) => /^[\w.-]+/.exec(line)?.[0].toLowerCase().replace(/[._]/g, "-") ?? []);
  const locked = new Set(names(await readFile(lock, "utf8")));
  return names(stdout).some((name) => locked.has(name));
}

/** Packages of the user's own must not be taken for those of the environment. */
function plainPython(): NodeJS.ProcessEnv {
  return foreignEnvironment({
    PYTHONPATH: undefined,
    PYTHONHOME: undefined,
    PIP_USER: "0",
    PIP_TARGET: undefined,
  });
}
