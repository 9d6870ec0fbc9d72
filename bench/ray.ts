// Scores on Ray: images a second of 1 and 2 workers on this machine, from the moment when the cluster is there, against plain `leaf score`
// and `leaf score - --threads 1`; then a cluster of two nodes of which one is killed; then once more. Compares every score.
// LEAF_RAY_PYTHON or `leaf env --extra ray`. node bench/ray.ts [images=20000]
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { rayInterpreter } from "../src/engine/python/ray.ts";
import { twoNodes } from "../test/support/rayNodes.ts";
import { makeManyImages } from "./manyImages.ts";

const amount = Number(process.argv[2] ?? 20_000);
const dir = mkdtempSync(path.join(tmpdir(), "leaf-bench-"));
const images = path.join(dir, "photos");
const student = ["--student", path.resolve("test/fixtures/student")];
await makeManyImages(dir, amount);

const plain = await leaf(["score", images, ...student, "--json"]);
const known = new Map<string, number>(
  JSON.parse(plain.stdout).scores.map((one: { image: string; score: number }) => [one.image, one.score]),
);
tell("leaf score", plain.seconds);
const names = [...known.keys()].map((name) => `${name}\n`).join("");
tell(
  "leaf score - --threads 1",
  (await leaf(["score", "-", ...student, "--threads", "1"], { input: names })).seconds,
);
for (const workers of [1, 2]) {
  const out = path.join(dir, `out-${workers}`);
  const { seconds } = await ray(out, ["--workers", String(workers)]);
  tell(`ray, ${workers} workers`, seconds, await compared(out));
}
const nodes = await twoNodes(rayInterpreter());
const out = path.join(dir, "out-nodes");
const address = ["--address", nodes.address];
let killed = false;
const cut = await ray(out, address, {
  env: nodes.env,
  onProgress(share) {
    if (share < 30 || killed) return;
    killed = true;
    void nodes.killOne();
  },
});
tell(`ray, two nodes, one ${killed ? "killed" : "NOT killed"}`, cut.seconds, await compared(out));
await nodes.end();
const again = await ray(out, address);
console.log(`again: ${again.stdout.trim()} (${again.whole.toFixed(1)} s)`);
rmSync(dir, { recursive: true });

function tell(what: string, seconds: number, equal = "") {
  console.log(`${what}: ${(amount / seconds).toFixed(1)} images a second (${seconds.toFixed(1)} s) ${equal}`);
}

async function compared(out: string): Promise<string> {
  const rows: { image: string; score: number }[] = [];
  for (const name of readdirSync(out, { recursive: true }) as string[])
    if (name.endsWith(".parquet"))
      rows.push(
        ...((await parquetReadObjects({
          file: await asyncBufferFromFile(path.join(out, name)),
        })) as typeof rows),
      );
  const same = rows.filter(({ image, score }) => known.get(image) === score).length;
  return `${rows.length} rows, ${new Set(rows.map(({ image }) => image)).size} images, ${same} scores equal`;
}

function ray(out: string, more: string[], options: Parameters<typeof leaf>[1] = {}) {
  return leaf(["score", images, ...student, "--engine", "ray", "--out", out, ...more], options);
}

/** `seconds`: since a cluster was there, if one was asked for. */
function leaf(
  args: string[],
  { input = "", env = process.env, onProgress = (_share: number) => {} } = {},
): Promise<{ stdout: string; seconds: number; whole: number }> {
  const began = performance.now();
  let ready = began;
  const child = spawn(process.execPath, ["bin/leaf.js", ...args], { env });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (text.includes(" workers on ")) ready = performance.now();
    const share = /images · (\d+) %/.exec(text)?.[1];
    if (share) onProgress(Number(share));
  });
  child.stdin.end(input);
  return new Promise((resolve, reject) =>
    child.once("close", (code) => {
      const now = performance.now();
      if (code === 0) resolve({ stdout, seconds: (now - ready) / 1000, whole: (now - began) / 1000 });
      else reject(new Error(`leaf ${args.join(" ")} ended with ${code}`));
    }),
  );
}
