import { spawn } from "node:child_process";

/** One thing to do, by LEAF and by a peer, on the same files. */
export interface Work {
  /** Its row: what is done. */
  name: string;
  /** What a user would write or run instead. */
  peer: string;
  /** The least ratio peer / ours that we want. */
  aim: number;
  /**
   * Makes its data in `folder` and returns what to time. An arm does the work once and returns its seconds; arms are run in turn.
   * `leaf` is the command line's entry file, of this checkout or of an earlier one.
   */
  prepare(folder: string, leaf: string): Promise<Arms>;
}

/** `ours` is needed; `floor` is the least that could do, such as the bare network or the bare disk. */
export interface Arms {
  ours: () => Promise<number>;
  peer?: () => Promise<number>;
  floor?: () => Promise<number>;
}

/** Runs a whole process and returns its seconds. Anything but exit code 0 is an error that shows what it printed. */
export async function processSeconds(
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<number> {
  const start = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      printed = `${printed}${chunk}`.slice(-4000);
    });
  child.stdin.end(options.input);
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}\nended with ${code}:\n${printed}`);
  return (performance.now() - start) / 1000;
}
