import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import type { ProgressSink } from "../protocol/progress.ts";
import { appRoot } from "./appRoot.ts";
import { leafHome } from "./base/home.ts";
import { withoutTeacherKeys } from "./base/teacherKeys.ts";
import { interpreterItem, programPath } from "./consent/items.ts";
import { allProgramsAllowed, decisionOn, notApproved } from "./consent/store.ts";
import { LeafError, throwIfCancelled } from "./errors.ts";
import { writeFileAtomic } from "./files.ts";
import { spawnGroup, stopGroup } from "./processes.ts";

/** What `python -m leaf --env` prints. */
export interface PythonEnvironment {
  interpreter: string;
  python: string;
  torch: string;
  transformers: string;
  cuda: boolean;
  mps: boolean;
  device: string;
  deviceName: string;
}

const setUpRemedy = "Run `leaf env` to set up the training environment, or set `python.interpreter`.";

/** Folder of the `leaf` Python package. */
export function pythonSource(): string {
  return path.join(appRoot(), "src", "python");
}

function requirementsFile(): string {
  return path.join(pythonSource(), "requirements.txt");
}

/** The environment of Python children: only what they need, and this package first on the path. */
export function trainerEnvironment(): NodeJS.ProcessEnv {
  const { PYTHONPATH, ...rest } = withoutTeacherKeys(process.env);
  const pythonPath = [pythonSource(), PYTHONPATH].filter(Boolean).join(path.delimiter);
  return {
    ...rest,
    PYTHONPATH: pythonPath,
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    TOKENIZERS_PARALLELISM: "false",
    // Else a torch.py in the folder where it starts, which may be a stranger's, would be run for torch.
    PYTHONSAFEPATH: "1",
  };
}

/** One environment for all projects of a user, named by its requirements: an update sets up a new one beside it. */
export function managedEnvironmentDir(): string {
  const digest = createHash("sha256").update(readFileSync(requirementsFile())).digest("hex").slice(0, 12);
  return path.join(leafHome(), `python-${digest}`);
}

function interpreterIn(dir: string): string {
  return process.platform === "win32"
    ? path.join(dir, "Scripts", "python.exe")
    : path.join(dir, "bin", "python");
}

/**
 * The interpreter to train with: the user's own (`LEAF_PYTHON`, the editor's setting), the config's where the user has approved it as
 * it is now, or the one that `leaf env` made. Throws LeafErrors `environment` and `consent`.
 */
export function resolveInterpreter(configured: string | undefined, root: string): string {
  // An inherited variable is of where the command was started, not of the config.
  if (process.env.LEAF_PYTHON) return existing(process.env.LEAF_PYTHON, process.cwd());
  if (configured) {
    const item = interpreterItem(configured, root);
    const decision = allProgramsAllowed() ? "allow" : decisionOn(item.digest);
    if (decision === undefined) throw notApproved({ ...item, file: "", line: null });
    if (decision === "allow") return existing(configured, root);
  }
  const dir = managedEnvironmentDir();
  if (!existsSync(path.join(dir, "ready.json"))) {
    throw new LeafError("environment", "There is no Python environment to train with yet.", {
      remedy: setUpRemedy,
    });
  }
  return interpreterIn(dir);
}

function existing(named: string, root: string): string {
  const file = programPath(named, root);
  if (file === undefined || existsSync(file)) return file ?? named;
  throw new LeafError("environment", `The Python interpreter ${named} does not exist.`, {
    remedy: setUpRemedy,
  });
}

/** Asks an interpreter for its versions and device. Throws LeafError `environment` naming what it lacks. */
export async function probeInterpreter(
  interpreter: string,
  signal?: AbortSignal,
): Promise<PythonEnvironment> {
  const { code, stdout, stderr } = await runPython(interpreter, ["-m", "leaf", "--env"], { signal });
  const line = stdout.trim().split("\n").at(-1) ?? "";
  let answer: (Omit<PythonEnvironment, "interpreter"> & { missing?: string[] }) | undefined;
  try {
    answer = JSON.parse(line);
  } catch {
    // Told below, with what the interpreter itself said.
  }
  if (answer?.missing) {
    throw new LeafError("environment", `${interpreter} lacks ${answer.missing.join(", ")}.`, {
      remedy: setUpRemedy,
    });
  }
  if (code !== 0 || !answer) {
    const said = stderr.trim().split("\n").at(-1) ?? "";
    throw new LeafError("environment", `${interpreter} cannot run the trainer (${said || `exit ${code}`}).`, {
      remedy: setUpRemedy,
    });
  }
  return { interpreter, ...answer };
}

/** Creates the managed environment unless it is ready. Removes a half-made one first, so that a cut-off set-up can be repeated. */
export async function setUpEnvironment(
  options: { signal?: AbortSignal; onProgress?: ProgressSink } = {},
): Promise<PythonEnvironment> {
  const { signal, onProgress } = options;
  const dir = managedEnvironmentDir();
  const interpreter = interpreterIn(dir);
  const ready = path.join(dir, "ready.json");
  if (existsSync(ready)) return probeInterpreter(interpreter, signal);

  const report = (step: string, done: number) => onProgress?.({ stage: "env", step, done, unit: "packages" });
  report("creating a virtual environment", 0);
  await rm(dir, { recursive: true, force: true });
  await mkdir(path.dirname(dir), { recursive: true });
  const base = await findBasePython(signal);
  await mustRun(base, ["-m", "venv", dir], "create a virtual environment", { signal });
  let packages = 0;
  const onLine = (line: string) => {
    const name = /^(?:Collecting|Downloading|Installing collected packages:)\s*(\S*)/.exec(line.trim());
    if (!name) return;
    if (line.startsWith("Collecting")) packages++;
    report(
      line.startsWith("Installing")
        ? "installing packages"
        : `fetching ${path.posix.basename(name[1] ?? "").split("-")[0]}`,
      packages,
    );
  };
  await mustRun(
    interpreter,
    ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-r", requirementsFile()],
    "install the trainer's packages",
    { signal, onLine },
  );
  const environment = await probeInterpreter(interpreter, signal);
  await writeFileAtomic(ready, `${JSON.stringify(environment, null, 2)}\n`);
  return environment;
}

async function findBasePython(signal?: AbortSignal): Promise<string> {
  const supported = "import sys; sys.exit(0 if (3, 10) <= sys.version_info < (3, 15) else 1)";
  for (const name of ["python3", "python3.13", "python3.12", "python3.11", "python"]) {
    try {
      if ((await runPython(name, ["-c", supported], { signal })).code === 0) return name;
    } catch (error) {
      throwIfCancelled(signal);
      if (!(error instanceof LeafError)) throw error;
    }
  }
  throw new LeafError("environment", "No Python 3.10 or newer was found on the PATH.", {
    remedy: "Install Python 3, or set `python.interpreter` to one that has the trainer's packages.",
  });
}

interface RunOptions {
  signal?: AbortSignal;
  onLine?: (line: string) => void;
}

async function mustRun(command: string, args: string[], doing: string, options: RunOptions): Promise<void> {
  const { code, stdout, stderr } = await runPython(command, args, options);
  if (code === 0) return;
  const said =
    `${stdout}\n${stderr}`
      .split("\n")
      .filter((line) => /error/i.test(line))
      .at(-1)
      ?.trim() ?? `exit ${code}`;
  throw new LeafError("environment", `Cannot ${doing}: ${said}`, {
    remedy: "Check the network and the disk, then run `leaf env` again.",
  });
}

const keptOutput = 200_000;

function runPython(
  command: string,
  args: string[],
  { signal, onLine }: RunOptions,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  throwIfCancelled(signal);
  return new Promise((resolve, reject) => {
    const child = spawnGroup(command, args, {
      // Not where the command was given: Python looks there for modules.
      cwd: pythonSource(),
      env: trainerEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const onAbort = () => stopGroup(child);
    signal?.addEventListener("abort", onAbort, { once: true });
    let stdout = "";
    let stderr = "";
    createInterface({ input: child.stdout! }).on("line", (line) => {
      stdout = `${stdout}${line}\n`.slice(-keptOutput);
      onLine?.(line);
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-keptOutput);
    });
    const finish = () => signal?.removeEventListener("abort", onAbort);
    child.once("error", (error) => {
      finish();
      reject(
        new LeafError("environment", `Cannot start ${command} (${error.message}).`, { remedy: setUpRemedy }),
      );
    });
    child.once("close", (code) => {
      finish();
      if (signal?.aborted) reject(new LeafError("cancelled", "Cancelled."));
      else resolve({ code, stdout, stderr });
    });
  });
}
