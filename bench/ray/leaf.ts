import { spawn } from "node:child_process";
import path from "node:path";

export interface Ended {
  stdout: string;
  /** Since a cluster was there, if one was asked for. */
  seconds: number;
  whole: number;
}

interface Options {
  cwd?: string;
  input?: string;
  env?: NodeJS.ProcessEnv;
  /** Percent of the images, while they are scored or labelled. */
  onProgress?: (share: number) => void;
}

/** Throws where it ends with another code than 0. */
export function leaf(
  args: string[],
  { cwd, input = "", env = process.env, onProgress = () => {} }: Options = {},
): Promise<Ended> {
  const began = performance.now();
  let ready = began;
  const child = spawn(process.execPath, [path.resolve("bin/leaf.js"), ...args], { cwd, env });
  let stdout = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = text;
    if (text.includes(" workers on ")) ready = performance.now();
    const share = /(?:images|points) · (\d+) %/.exec(text)?.[1];
    if (share) onProgress(Number(share));
  });
  child.stdin.end(input);
  return new Promise((resolve, reject) =>
    child.once("close", (code) => {
      const now = performance.now();
      if (code === 0) resolve({ stdout, seconds: (now - ready) / 1000, whole: (now - began) / 1000 });
      else reject(new Error(`leaf ${args.join(" ")} ended with ${code}: ${said}`));
    }),
  );
}
