import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

export interface NodeChild {
  child: ChildProcess;
  pid: number;
  /** The next line that it says. */
  line(): Promise<string>;
  kill(signal?: NodeJS.Signals): Promise<void>;
  ended: Promise<number | null>;
}

/** Runs a script in a Node process of its own; `engine` is the address of the engine's sources. Killed when the test ends. */
export function nodeChild(script: string, wrap: string[] = [], cwd?: string): NodeChild {
  const engine = `const engine = ${JSON.stringify(path.resolve("src/engine"))};\n`;
  const [program, ...args] = [...wrap, process.execPath, "--input-type=module", "-e", engine + script];
  const child = spawn(program!, args, { stdio: ["pipe", "pipe", "inherit"], detached: true, cwd });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const next = waiting.shift();
    if (next) next(line);
    else lines.push(line);
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return {
    child,
    pid: child.pid!,
    ended,
    line: () =>
      new Promise((resolve, reject) => {
        const known = lines.shift();
        if (known !== undefined) return resolve(known);
        waiting.push(resolve);
        void ended.then((code) => reject(new Error(`The process ended (${code}) without another line.`)));
      }),
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      await ended;
    },
  };
}

/** A process that does nothing, in a group of its own: somebody else's. */
export function bystander(): NodeChild {
  return nodeChild("console.log('here'); setInterval(() => {}, 1000);");
}

export const isThere = ({ child }: NodeChild) => child.exitCode === null && child.signalCode === null;
