import { say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { runPython } from "./run.ts";

/** The Pythons for which every locked package has a wheel; pyproject.toml and README say the same. */
export const supportedPythons = { from: [3, 11], to: [3, 14] } as const;

const [major] = supportedPythons.from;
const minors = Array.from(
  { length: supportedPythons.to[1] - supportedPythons.from[1] + 1 },
  (_, i) => supportedPythons.to[1] - i,
);
/** The same as a request to uv. */
export const supportedRange = `>=${supportedPythons.from.join(".")},<${major}.${supportedPythons.to[1] + 1}`;
export const supportedText = `${supportedPythons.from.join(".")} to ${supportedPythons.to.join(".")}`;

/** Wheels are for the usual build, the one with a global lock. */
const isSupported = `import sys, sysconfig
fits = sys.version_info[:2] in ${JSON.stringify(minors.map((minor) => [major, minor])).replace(/\[(\d+),(\d+)\]/g, "($1, $2)")}
sys.exit(0 if fits and not sysconfig.get_config_var("Py_GIL_DISABLED") else 1)`;

/** The first supported Python of the PATH. Throws LeafError `environment` where there is none. */
export async function findBasePython(signal?: AbortSignal): Promise<string> {
  for (const name of ["python3", ...minors.map((minor) => `python${major}.${minor}`), "python"]) {
    try {
      if ((await runPython(name, ["-c", isSupported], { signal })).code === 0) return name;
    } catch (error) {
      throwIfCancelled(signal);
      if (!(error instanceof LeafError)) throw error;
    }
  }
  throw new LeafError("environment", say`No Python ${supportedText} was found on the PATH.`, {
    remedy: say`Install Python ${major}.${minors[1]!}, or set \`python.interpreter\` to one that has the trainer's packages.`,
  });
}
