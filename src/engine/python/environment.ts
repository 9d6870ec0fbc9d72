import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { say } from "../../words/text.ts";
import { appRoot } from "../base/appRoot.ts";
import { foreignEnvironment } from "../base/environment.ts";
import { LeafError } from "../base/errors.ts";
import { leafHome } from "../base/home.ts";
import { interpreterItem, programPath } from "../consent/items.ts";
import { allProgramsAllowed, decisionOn, notApproved } from "../consent/store.ts";
import { interpreterIn, type MakeOptions, makeEnvironment, readyFile } from "./make.ts";
import { runPython, setUpRemedy } from "./run.ts";

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
  /** Why a GPU that is here cannot be used, and the remedy; null where there is none, or it is used. */
  unseen: [why: string, remedy: string] | null;
}

/** As a sentence with its remedy; undefined where no GPU is missed. */
export function unseenText({ unseen }: Pick<PythonEnvironment, "unseen">): string | undefined {
  return unseen ? `${unseen[0]}. ${unseen[1]}` : undefined;
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
  return foreignEnvironment({
    PYTHONPATH: [pythonSource(), process.env.PYTHONPATH].filter(Boolean).join(path.delimiter),
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    TOKENIZERS_PARALLELISM: "false",
    // Else a torch.py in the folder where it starts, which may be a stranger's, would be run for torch.
    PYTHONSAFEPATH: "1",
    // Threads that wait for one another spin, and hold up whatever else runs: beside a busy process training takes three times as long.
    OMP_WAIT_POLICY: process.env.OMP_WAIT_POLICY ?? "PASSIVE",
    ...keptFolders(),
  });
}

const kept = {
  LEAF_GRAPHS: "graphs",
  LEAF_TRIALS: "trials",
  LEAF_WEIGHTS: "weights",
} as const;

/**
 * Where exported graphs (src/python/leaf/graphs.py), trials of torch.compile (compiling.py) and converted weights (weights.py) are
 * kept: in LEAF's own folder, where it has one. Nothing is made in HOME for them.
 */
function keptFolders(): NodeJS.ProcessEnv {
  const home = leafHome();
  if (!existsSync(home)) return {};
  const unnamed = Object.entries(kept).filter(([name]) => !process.env[name]);
  return Object.fromEntries(unnamed.map(([name, folder]) => [name, path.join(home, folder)]));
}

/** One environment for all projects of a user, named by its locks: an update sets up a new one beside it. */
export function managedEnvironmentDir(): string {
  const hash = createHash("sha256");
  for (const file of Object.values(locks())) hash.update(readFileSync(file));
  const digest = hash.digest("hex").slice(0, 12);
  return path.join(leafHome(), `python-${digest}`);
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
  if (!existsSync(readyFile(dir))) {
    throw new LeafError("environment", say`There is no Python environment to train with yet.`, {
      remedy: setUpRemedy,
    });
  }
  return interpreterIn(dir);
}

function existing(named: string, root: string): string {
  const file = programPath(named, root);
  if (file === undefined || existsSync(file)) return file ?? named;
  throw new LeafError("environment", say`The Python interpreter ${named} does not exist.`, {
    remedy: setUpRemedy,
  });
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
    throw new LeafError("environment", say`${interpreter} lacks ${answer.missing.join(", ")}.`, {
      remedy: setUpRemedy,
    });
  }
  if (code !== 0 || !answer) {
    const said = stderr.trim().split("\n").at(-1) ?? "";
    throw new LeafError(
      "environment",
      say`${interpreter} cannot run the trainer (${said || say`exit ${code ?? ""}`}).`,
      {
        remedy: setUpRemedy,
      },
    );
  }
  return { interpreter, ...answer };
}

export type TrainsOn = Pick<PythonEnvironment, "device" | "deviceName" | "unseen">;

/** Which device a project would train on; null where there is no Python yet, or none that the user has approved. */
export async function trainsOn(
  {
    config,
    root,
  }: { config: { python: { interpreter?: string | undefined; device: string } }; root: string },
  signal?: AbortSignal,
): Promise<TrainsOn | null> {
  const { interpreter, device: wanted } = config.python;
  try {
    const found = await probeInterpreter(resolveInterpreter(interpreter, root), signal);
    const { deviceName, unseen } = found;
    // Whoever wants the CPU misses no GPU.
    if (wanted === "cpu")
      return { device: wanted, deviceName: found.device === wanted ? deviceName : "", unseen: null };
    return { device: found.device, deviceName, unseen };
  } catch (error) {
    if (error instanceof LeafError && (error.code === "environment" || error.code === "consent")) return null;
    throw error;
  }
}

/** "Trains on cuda (NVIDIA L4).", and why a GPU that is here is not used. */
export function trainsOnLine(found: TrainsOn | null): string {
  if (!found) return "Trains on: not known before `leaf env` has set up Python.";
  const { device, deviceName } = found;
  const line = `Trains on ${device}${deviceName ? ` (${deviceName})` : ""}.`;
  return [line, unseenText(found)].filter(Boolean).join(" ");
}

/** Creates the managed environment unless it is ready; waits where another process is at it. */
export function setUpEnvironment(options: MakeOptions = {}): Promise<PythonEnvironment> {
  return makeEnvironment({ dir: managedEnvironmentDir(), ...locks(), prove: probeInterpreter }, options);
}
