import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { leafHome } from "../base/home.ts";
import { pythonSource, trainerEnvironment } from "./environment.ts";
import { interpreterIn, type MakeOptions, makeEnvironment, readyFile } from "./make.ts";
import { lastLine, runPython } from "./run.ts";

/** What `python -m leaf.ray --env` prints. */
export interface RayEnvironment {
  interpreter: string;
  python: string;
  ray: string;
}

/** The extra: Ray Data without PyTorch, in an environment of its own beside the trainer's. */
const lock = () => path.join(pythonSource(), "requirements-ray.txt");

export function rayEnvironmentDir(): string {
  const digest = createHash("sha256").update(readFileSync(lock())).digest("hex").slice(0, 12);
  return path.join(leafHome(), `python-ray-${digest}`);
}

/** Creates it unless it is ready; waits where another process is at it. */
export function setUpRay(options: MakeOptions = {}): Promise<RayEnvironment> {
  return makeEnvironment({ dir: rayEnvironmentDir(), requirements: lock(), prove: probeRay }, options);
}

/** A Python with Ray: that of `LEAF_RAY_PYTHON`, or the one that `leaf env --extra ray` made. Throws LeafError `environment`. */
export function rayInterpreter(): string {
  const { LEAF_RAY_PYTHON: named } = process.env;
  if (named) return named;
  const dir = rayEnvironmentDir();
  if (existsSync(readyFile(dir))) return interpreterIn(dir);
  throw new LeafError("environment", say`Ray is not installed.`, {
    remedy: say`Run \`leaf env --extra ray\`, or put the path of a Python that has ray[data] and msgspec into LEAF_RAY_PYTHON.`,
  });
}

export async function probeRay(interpreter: string, signal?: AbortSignal): Promise<RayEnvironment> {
  const { code, stdout, stderr } = await runPython(interpreter, ["-m", "leaf.ray", "--env"], {
    signal,
    env: trainerEnvironment(),
  });
  if (code === 0) return { interpreter, ...JSON.parse(lastLine(stdout)) };
  throw new LeafError("environment", say`${interpreter} cannot run Ray (${lastLine(stderr)}).`, {
    remedy: say`Run \`leaf env --extra ray\` again.`,
  });
}
