import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { childEnvironment } from "../../src/engine/base/environment.ts";

const here = import.meta.dirname;
export const weights = path.join(here, "..", "..", "test", "fixtures", "tiny-teacher");
// One thread for its numerics too: so small a model loses more by waiting for others than it wins.
const env = childEnvironment({ OMP_NUM_THREADS: "1" });

/** An interpreter that has xllamacpp: LEAF_PYTHON, or the one on the path. */
export const python = process.env.LEAF_PYTHON ?? "python3";

/** Why llama.cpp cannot be run here; undefined where it can. */
export function whyNoLlama(): string | undefined {
  try {
    execFileSync(python, ["-c", "import xllamacpp"], { stdio: "ignore" });
    return undefined;
  } catch {
    return `${python} cannot import xllamacpp`;
  }
}

export interface TinyTeacherServer {
  /** Such as http://127.0.0.1:40123/v1. */
  endpoint: string;
  stop(): Promise<void>;
}

/** Serves the tiny teacher by llama.cpp on a free port; resolves when it listens. */
export async function serveTinyTeacher(folder = weights): Promise<TinyTeacherServer> {
  const files = [path.join(folder, "model.gguf"), path.join(folder, "mmproj.gguf")];
  const child = spawn(python, [path.join(here, "serve.py"), ...files, "0"], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  const said = tailOf(child);
  const exited = once(child, "exit");
  const origin = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const address = /^listening on (\S+)$/m.exec(output)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once("error", reject);
    exited.then(() => reject(new Error(`llama.cpp's server did not start: ${said()}`)), reject);
  });
  return {
    endpoint: `${origin}/v1`,
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** The last lines of what a process says on stderr. */
function tailOf(child: ChildProcess): () => string {
  let tail = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-2000);
  });
  return () => tail.trim();
}
