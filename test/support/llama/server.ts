import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { childEnvironment } from "../../../src/engine/base/environment.ts";

const here = path.resolve("test/support/llama");
const python = process.env.LEAF_PYTHON ?? "python3";
const env = childEnvironment({ OMP_NUM_THREADS: "1" });

/** Why llama.cpp cannot be run here; undefined where it can. */
export function whyNoLlama(): string | undefined {
  try {
    execFileSync(python, ["-c", "import gguf, xllamacpp"], { stdio: "pipe", env });
    return undefined;
  } catch {
    return `${python} has no gguf and xllamacpp`;
  }
}

/** Writes the tiny random model into a folder. */
export function makeTinyModel(folder: string, seed = 0): void {
  execFileSync(python, [path.join(here, "make_tiny_model.py"), folder, String(seed)], { stdio: "pipe", env });
}

export interface LlamaServer {
  port: number;
  /** Kills it as a crash would. */
  kill(): Promise<void>;
}

/** Resolves when the server listens. */
export async function startLlama(folder: string, port: number): Promise<LlamaServer> {
  const child: ChildProcess = spawn(python, [path.join(here, "serve.py"), folder, String(port)], {
    stdio: ["ignore", "pipe", "ignore"],
    env,
  });
  const exited = once(child, "exit");
  child.stdout!.setEncoding("utf8");
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on("data", (text: string) => text.includes("ready") && resolve());
    exited.then(() => reject(new Error("llama.cpp's server did not start")));
  });
  return {
    port,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
