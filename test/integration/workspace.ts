import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";

const bin = path.resolve("bin/leaf.js");

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts the real command line in a folder, in a process group of its own. */
export function startLeaf(
  cwd: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): { child: ChildProcess; done: Promise<CliResult> } {
  const child = spawn(process.execPath, [bin, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout!.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const done = new Promise<CliResult>((resolve) =>
    child.once("close", (code) => resolve({ code, stdout, stderr })),
  );
  return { child, done };
}

export function leaf(cwd: string, ...args: string[]): Promise<CliResult> {
  return startLeaf(cwd, args).done;
}

/** Runs a command that must succeed and parses its JSON document. */
export async function leafJson<T>(cwd: string, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await leaf(cwd, ...args, "--json");
  if (code !== 0) throw new Error(`leaf ${args.join(" ")} exited ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

export function temporaryFolder(): { dir: string; remove: () => void } {
  const dir = mkdtempSync(path.join(tmpdir(), "leaf-it-"));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** `n` crops of a demo photo with rising blur, and MOS that fall with it. */
export async function makeWorkspace(dir: string, n: number, overrides = ""): Promise<void> {
  mkdirSync(path.join(dir, "photos"), { recursive: true });
  const rows = ["image,mos"];
  for (let i = 0; i < n; i++) {
    const photo = ["coffee", "china", "astronaut", "stream"][i % 4]!;
    const left = (i * 37) % 200;
    const crop = sharp(path.resolve(`demo/photos/${photo}.jpg`)).extract({
      left,
      top: 60,
      width: 160,
      height: 160,
    });
    const blurred = i === 0 ? crop : crop.blur(0.3 + (4 * i) / n);
    const name = `${photo}_${String(i).padStart(3, "0")}.png`;
    await blurred.png().toFile(path.join(dir, "photos", name));
    rows.push(`${name},${(5 - (4 * i) / n).toFixed(3)}`);
  }
  writeFileSync(path.join(dir, "mos.csv"), `${rows.join("\n")}\n`);
  writeFileSync(path.join(dir, "leaf.yaml"), config(overrides));
}

export function config(overrides = "", { epochs = 2, ratio = 0.5 } = {}): string {
  return `images: photos
mos: { file: mos.csv, image: image, score: mos, range: [1, 5] }
split: { test: 0.3, val: 0.2 }
label: { pairsPerImage: 4, pairs: mixed, minConfidence: 0.05 }
student: { model: atto, input: { resize: 48, crop: 32 } }
distill: { epochs: ${epochs}, batch: 8 }
calibrate: { ratio: ${ratio}, epochs: 2 }
evaluate: { bootstrap: 200 }
python: { threads: 1 }
${overrides}`;
}
