import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";

const leaf = path.join(import.meta.dirname, "..", "bin", "leaf.js");

/** A command that ended otherwise than well; what it said is on stderr already. */
export class CommandFailed extends Error {}

/** Runs `leaf <args> --json` and gives its document. Its progress goes to stderr. Stops it when the signal is aborted. */
export async function runLeaf<T>(args: string[], folder: string, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  // A group of its own: Ctrl-C in a terminal reaches the child once, through us.
  const child = spawn(process.execPath, [leaf, ...args, "--json"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  const stop = () => kill(child, "SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  child.stdout.setEncoding("utf8");
  child.stderr.pipe(process.stderr, { end: false });
  let output = "";
  child.stdout.on("data", (text: string) => {
    output += text;
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    signal.throwIfAborted();
    if (code !== 0) throw new CommandFailed(`leaf ${args.join(" ")} ended with exit code ${code}.`);
    return JSON.parse(output) as T;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function kill(child: ChildProcess, how: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    if (process.platform === "win32") child.kill(how);
    else process.kill(-child.pid, how);
  } catch {
    // It has just ended by itself.
  }
}
