import { createInterface } from "node:readline";
import { say } from "../../words/text.ts";
import { appRoot } from "../base/appRoot.ts";
import { foreignEnvironment } from "../base/environment.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { spawnGroup, stopGroup } from "../base/processes.ts";

export const setUpRemedy = say`Run \`leaf env\` to set up the training environment, or set \`python.interpreter\`.`;

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  onLine?: (line: string) => void;
}

export interface RunResult {
  code: number | null;
  stdout: string;
  stderr: string;
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

const keptOutput = 200_000;

/** Runs an interpreter to its end. Aborting ends it with all that it started. Throws LeafError where it cannot be started. */
export function runPython(
  command: string,
  args: string[],
  { env = foreignEnvironment(), signal, onLine }: RunOptions = {},
): Promise<RunResult> {
  throwIfCancelled(signal);
  return new Promise((resolve, reject) => {
    const child = spawnGroup(command, args, {
      // Python looks for modules where it starts: not in the folder where the command was given, which may be a stranger's.
      cwd: appRoot(),
      env: { ...env, PYTHONSAFEPATH: "1" },
      stdio: ["pipe", "pipe", "pipe"],
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
        new LeafError("environment", say`Cannot start ${command} (${error.message}).`, {
          remedy: setUpRemedy,
        }),
      );
    });
    child.once("close", (code) => {
      finish();
      if (signal?.aborted) reject(new LeafError("cancelled", say`Cancelled.`));
      else resolve({ code, stdout, stderr });
    });
  });
}
