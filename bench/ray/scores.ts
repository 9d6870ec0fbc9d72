import { readdirSync } from "node:fs";
import path from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { withOneKilled } from "./killing.ts";
import { leaf } from "./leaf.ts";
import type { Tell } from "./table.ts";

/** Scores of `leaf score`, of `leaf score -` with one thread, and of Ray. */
export async function benchScores(dir: string, tell: Tell): Promise<void> {
  const images = path.join(dir, "photos");
  const student = ["--student", path.resolve("test/fixtures/student")];
  const ray = (out: string, more: string[], options: Parameters<typeof leaf>[1] = {}) =>
    leaf(["score", images, ...student, "--engine", "ray", "--out", out, ...more], options);

  const plain = await leaf(["score", images, ...student, "--json"]);
  const known = new Map<string, number>(
    JSON.parse(plain.stdout).scores.map((one: { image: string; score: number }) => [one.image, one.score]),
  );
  tell("leaf score", plain.seconds);
  const input = [...known.keys()].map((name) => `${name}\n`).join("");
  tell(
    "leaf score - --threads 1",
    (await leaf(["score", "-", ...student, "--threads", "1"], { input })).seconds,
  );
  for (const workers of [1, 2]) {
    const out = path.join(dir, `out-${workers}`);
    const { seconds } = await ray(out, ["--workers", String(workers)]);
    tell(`ray, ${workers} workers`, seconds, await compared(out, known));
  }
  const out = path.join(dir, "out-nodes");
  const cut = await withOneKilled((address, options) => ray(out, address, options));
  tell(
    `ray, two nodes, one ${cut.killed ? "killed" : "NOT killed"}`,
    cut.seconds,
    await compared(out, known),
  );
  const again = await ray(out, cut.address);
  console.log(`again: ${again.stdout.trim()} (${again.whole.toFixed(1)} s)`);
}

async function compared(out: string, known: Map<string, number>): Promise<string> {
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
