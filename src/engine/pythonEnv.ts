import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { appRoot } from "./appRoot.ts";
import { childEnvironment } from "./base/environment.ts";
import { LeafError } from "./errors.ts";
import { interpreterIn, type MakeOptions, makeEnvironment, readyFile } from "./python/make.ts";
import { runPython, setUpRemedy } from "./python/run.ts";

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

/** Folder of the `leaf` Python package. */
export function pythonSource(): string {
  return path.join(appRoot(), "src", "python");
}

/** Locks of the trainer's packages: see makeEnvironment. */
function locks() {
  const at = (name: string) => path.join(pythonSource(), name);
  return {
    cpu: at("requirements-cpu.txt"),
    requirements: at("requirements.txt"),
    cuda: at("requirements-cuda.txt"),
  };
}

/** The environment of Python children: only what they need, and this package first on the path. */
export function trainerEnvironment(): NodeJS.ProcessEnv {
  return childEnvironment({
    PYTHONPATH: [pythonSource(), process.env.PYTHONPATH].filter(Boolean).join(path.delimiter),
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    TOKENIZERS_PARALLELISM: "false",
  });
}

/** One environment for all projects of a user, named by its locks: an update sets up a new one beside it. */
export function managedEnvironmentDir(): string {
  const base =
    process.env.LEAF_HOME ??
    path.join(process.env.XDG_DATA_HOME ?? path.join(homedir(), ".local", "share"), "leaf");
  const hash = createHash("sha256");
  for (const file of Object.values(locks())) hash.update(readFileSync(file));
  const digest = hash.digest("hex").slice(0, 12);
  return path.join(base, `python-${digest}`);
}

/** The interpreter to train with: the config's, `LEAF_PYTHON`, or the one `leaf env` made. Throws LeafError `environment`. */
export function resolveInterpreter(configured: string | undefined, root: string): string {
  const named = configured ?? process.env.LEAF_PYTHON;
  if (named) {
    const isPath = named.includes("/") || named.includes("\\");
    const interpreter = isPath ? path.resolve(root, named) : named;
    if (isPath && !existsSync(interpreter)) {
      throw new LeafError("environment", `The Python interpreter ${named} does not exist.`, {
        remedy: setUpRemedy,
      });
    }
    return interpreter;
  }
  const dir = managedEnvironmentDir();
  if (!existsSync(readyFile(dir))) {
    throw new LeafError("environment", "There is no Python environment to train with yet.", {
      remedy: setUpRemedy,
    });
  }
  return interpreterIn(dir);
}

/** Asks an interpreter for its versions and device. Throws LeafError `environment` naming what it lacks. */
export async function probeInterpreter(
  interpreter: string,
  signal?: AbortSignal,
): Promise<PythonEnvironment> {
  const { code, stdout, stderr } = await runPython(interpreter, ["-m", "leaf", "--env"], {
    signal,
    env: trainerEnvironment(),
  });
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

/** Creates the managed environment unless it is ready; waits where another process is at it. */
export function setUpEnvironment(options: MakeOptions = {}): Promise<PythonEnvironment> {
  return makeEnvironment({ dir: managedEnvironmentDir(), ...locks(), prove: probeInterpreter }, options);
}
