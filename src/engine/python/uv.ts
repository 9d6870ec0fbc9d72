import { foreignEnvironment } from "../base/environment.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import type { RunResult } from "../base/processes.ts";
import { type RunOptions, runPython, watchedBy } from "./run.ts";
import { supportedRange } from "./supported.ts";

/** How uv is told what pip is set to. */
export interface UvSettings {
  env: NodeJS.ProcessEnv;
  args: string[];
}

/** Whether there is a uv on the PATH that starts: it does the work of venv and pip in a fraction of the time. */
export async function hasUv(signal?: AbortSignal): Promise<boolean> {
  try {
    return (await runPython("uv", ["--version"], { signal })).code === 0;
  } catch (error) {
    throwIfCancelled(signal);
    if (!(error instanceof LeafError)) throw error;
    return false;
  }
}

/**
 * Makes a virtual environment of this interpreter; without one, of one that uv has, finds or fetches, as far as the user's settings
 * of uv let it. False where uv does not manage it.
 */
export async function uvVenv(base: string | undefined, dir: string, signal?: AbortSignal): Promise<boolean> {
  const args = ["venv", "--no-project", "--python", base ?? supportedRange, dir];
  const [program, all] = base ? [base, watchedBy("uv", args)] : ["uv", args];
  return (await runPython(program, all, { signal, env: uvEnvironment() })).code === 0;
}

/** Runs `uv pip` on an environment. All that it says is in `stdout`. */
export function uvPip(
  interpreter: string,
  [command = "", ...args]: string[],
  settings: UvSettings,
  options: RunOptions,
): Promise<RunResult> {
  const more = command === "install" ? settings.args : [];
  const all = ["pip", command, "--python", interpreter, "--color", "never", ...more, ...args];
  return runPython(interpreter, watchedBy("uv", all), { ...options, env: uvEnvironment(settings.env) });
}

/** What pip calls its settings, and uv its variables. An address may hold a password: not for a command line. */
const variables: Record<string, (value: string) => NodeJS.ProcessEnv> = {
  "index-url": (value) => ({ UV_DEFAULT_INDEX: value }),
  "extra-index-url": (value) => ({ UV_INDEX: value }),
  "find-links": (value) => ({ UV_FIND_LINKS: value.split(/\s+/).join(",") }),
  cert: (value) => ({ SSL_CERT_FILE: value }),
};
/** What uv cannot be told of where packages come from. */
const untranslated = ["client-cert", "proxy", "trusted-host"];

/**
 * What makes uv take packages from where pip is set to take them; the user's own variables of uv come first. Undefined where pip is
 * set to what uv cannot be told. `listed` is what `pip config list` prints.
 */
export function uvSettings(listed: string): UvSettings | undefined {
  const settings = pipSettings(listed);
  if (untranslated.some((key) => settings.has(key))) return undefined;
  const env: NodeJS.ProcessEnv = {};
  for (const [key, value] of settings) Object.assign(env, variables[key]?.(value));
  for (const name of Object.keys(env)) if (process.env[name]) delete env[name];
  const isOffline = /^(1|t|true|y|yes|on)$/i.test(settings.get("no-index") ?? "");
  // Like pip: compiled once, not at each start, and from whichever index has the version, since the hash says that it is the file.
  return {
    env,
    args: [
      "--compile-bytecode",
      "--index-strategy",
      "unsafe-best-match",
      ...(isOffline ? ["--no-index"] : []),
    ],
  };
}

/** Of the same setting the variable counts most, then the one for `install`. */
function pipSettings(listed: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const section of ["global", "install", ":env:"])
    for (const line of listed.split("\n")) {
      const [, where, key = "", value = ""] = /^([\w:]+)\.([\w-]+)=['"](.*)['"]\s*$/.exec(line) ?? [];
      if (where === section) found.set(key, value.replaceAll("\\n", " ").trim());
    }
  return found;
}

/** Nothing of the user's own may lead to another environment than the one that is made. */
function uvEnvironment(added: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return foreignEnvironment({
    // As pip does: a company's proxy is known to the system.
    UV_SYSTEM_CERTS: "1",
    ...added,
    UV_NO_PROGRESS: "1",
    UV_PYTHON: undefined,
    UV_SYSTEM_PYTHON: undefined,
    UV_TARGET: undefined,
    UV_PREFIX: undefined,
    PYTHONPATH: undefined,
    PYTHONHOME: undefined,
    VIRTUAL_ENV: undefined,
  });
}
