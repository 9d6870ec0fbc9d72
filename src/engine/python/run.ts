import { say } from "../../words/text.ts";
import { appRoot } from "../base/appRoot.ts";
import { foreignEnvironment } from "../base/environment.ts";
import { LeafError } from "../base/errors.ts";
import { type RunResult, runChild } from "../base/processes.ts";

export const setUpRemedy = say`Run \`leaf env\` to set up the training environment, or set \`python.interpreter\`.`;

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  onLine?: (line: string) => void;
}

/** Runs a module, and ends with its whole group when the engine is gone: even `kill -9` leaves nothing at work. */
export function ofParent(module: string): string[] {
  const code = `import os, runpy, signal, sys, threading
def watch():
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL) if hasattr(os, "killpg") else os._exit(1)
threading.Thread(target=watch, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)`;
  return ["-c", code, module];
}

/** The same for another program, what it says on its standard error among the rest. */
export function watchedBy(program: string, args: string[]): string[] {
  const code = `import os, signal, subprocess, sys, threading
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
def watch():
    os.read(0, 1)
    if hasattr(os, "killpg"): os.killpg(0, signal.SIGKILL)
    child.kill()
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
sys.exit(child.wait())`;
  return ["-c", code, program, ...args];
}

/** Runs an interpreter to its end. Aborting ends it with all that it started. Throws LeafError where it cannot be started. */
export async function runPython(
  command: string,
  args: string[],
  { env = foreignEnvironment(), signal, onLine }: RunOptions = {},
): Promise<RunResult> {
  const result = await runChild(command, args, {
    // Python looks for modules where it starts: not in the folder where the command was given, which may be a stranger's.
    cwd: appRoot(),
    env: { ...env, PYTHONSAFEPATH: "1" },
    stdin: "pipe",
    signal,
    onLine,
  });
  if (result.error) throw cannotStart(command, result.error);
  return result;
}

export function cannotStart(interpreter: string, { message }: Error): LeafError {
  return new LeafError("environment", say`Cannot start the Python interpreter ${interpreter} (${message}).`, {
    remedy: setUpRemedy,
  });
}

/** What a Python that ended said of a module that it lacks, as a failure; undefined where it was something else. */
export function lackedModule(interpreter: string, stderr: string): LeafError | undefined {
  const missing = /No module named '?([\w.]+)/.exec(lastLine(stderr))?.[1];
  if (!missing) return undefined;
  return new LeafError("environment", say`${interpreter} has no module ${missing}.`, {
    remedy: say`Run \`leaf env\` to set up the training environment.`,
  });
}

export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)!;
}
