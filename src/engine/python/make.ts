import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { ProgressSink } from "../../protocol/progress.ts";
import { say, type Text } from "../../words/text.ts";
import { foreignEnvironment } from "../base/environment.ts";
import { writeFileAtomic } from "../base/files.ts";
import { type ProcessLock, waitForLock } from "../base/processLock.ts";
import { explainPip, isNotOffered } from "./explainPip.ts";
import { ofParent, type RunOptions, runPython } from "./run.ts";
import { findBasePython } from "./supported.ts";

/** What an environment is made of, and where. */
export interface EnvironmentRecipe<T> {
  dir: string;
  /** A lock: all packages with the hashes of their files. */
  requirements: string;
  /** A lock of PyTorch without CUDA alone: taken first where pip is set to an index or a folder that has it. */
  cpu: string;
  /** A lock of what PyTorch's CUDA build needs besides. */
  cuda: string;
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
  const { signal, onProgress } = options;
  const report = (step: string, done: number) => onProgress?.({ stage: "env", step, done, unit: "packages" });
  report("creating a virtual environment", 0);
  await rm(dir, { recursive: true, force: true });
  await mkdir(path.dirname(dir), { recursive: true });
  const interpreter = interpreterIn(dir);
  await mustRun(await findBasePython(signal), [...ofParent("venv"), dir], say`create a virtual environment`, {
    signal,
  });

  let packages = 0;
  const onLine = (line: string) => {
    const [, what, name = ""] =
      /^(Collecting|Downloading|Installing collected packages:)\s*(\S*)/.exec(line.trim()) ?? [];
    if (!what) return;
    if (what === "Collecting") packages++;
    report(
      what.startsWith("Installing")
        ? "installing packages"
        : `fetching ${path.posix.basename(name).split(/==|-\d/)[0]}`,
      packages,
    );
  };
  // Only what the lock names and only as wheels: an archive of sources would run code, and fetch more, to be built.
  const install = ["install", "--require-hashes", "--no-deps", "--only-binary=:all:", "--no-input", "-r"];
  const doing = say`install the trainer's packages`;
  const without = await runPython(interpreter, [...ofParent("pip"), ...install, cpu], {
    signal,
    onLine,
    env: plainPython(),
  });
  if (without.code !== 0 && !isNotOffered(without)) throw explainPip(doing, without);
  await mustRun(interpreter, [...ofParent("pip"), ...install, requirements], doing, { signal, onLine });
  if (await asksFor(interpreter, cuda, signal))
    await mustRun(interpreter, [...ofParent("pip"), ...install, cuda], doing, { signal, onLine });
  await mustRun(interpreter, [...ofParent("pip"), "check"], say`use the trainer's packages`, { signal });
  const found = await prove(interpreter, signal);
  await writeFileAtomic(readyFile(dir), `${JSON.stringify(found, null, 2)}\n`);
  return found;
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

async function mustRun(command: string, args: string[], doing: Text, options: RunOptions): Promise<void> {
  const result = await runPython(command, args, { ...options, env: plainPython() });
  if (result.code !== 0) throw explainPip(doing, result);
}
