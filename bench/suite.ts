// LEAF beside what a user would write, on the same files: npm run bench -- [work …] [--only TEXT] [--rounds 5] [--before CHECKOUT] [--out FILE] [--write]
// Prints a table with ratios, median [least, largest] over the rounds. --before measures a built checkout of an earlier version too;
// --only keeps what has TEXT in its name. --write puts the table into docs/performance.md. LEAF_PYTHON names an interpreter with the trainer's packages.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { measure } from "./suite/measure.ts";
import { type Result, tableOf } from "./suite/table.ts";
import { works } from "./suite/works.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "5" },
    before: { type: "string" },
    out: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const wanted = positionals.length > 0 ? positionals : [...works.keys()];
const unknown = wanted.filter((name) => !works.has(name));
if (unknown.length > 0) {
  console.error(`There is no work ${unknown.join(", ")}. There are: ${[...works.keys()].join(", ")}.`);
  process.exit(2);
}

const results: Result[] = [];
const failed: string[] = [];
const started = performance.now();
for (const name of wanted) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "leaf-bench-"));
  try {
    for (const one of works.get(name)!.filter((row) => row.name.includes(values.only))) {
      const own = path.join(folder, String(results.length));
      const arms = await one.prepare(made(path.join(own, "now")), path.resolve("bin/leaf.js"));
      const before = values.before
        ? await one.prepare(made(path.join(own, "before")), path.resolve(values.before, "bin/leaf.js"))
        : undefined;
      const measured = await measure(arms, before, Number(values.rounds));
      results.push({ name: one.name, peerName: one.peer, aim: one.aim, ...measured });
      console.error(tableOf(results.slice(-1)).split("\n").at(-1));
    }
  } catch (error) {
    failed.push(name);
    console.error(`${name}: ${error instanceof Error ? error.message : error}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const machine = `${os.cpus().length} × ${os.cpus()[0]?.model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GB, Node ${process.version}`;
const minutes = (performance.now() - started) / 60_000;
const table = tableOf(results);
console.log(
  `${table}\n\n${machine}; ${values.rounds} rounds in ${minutes.toFixed(1)} min; load ${os.loadavg()[0]!.toFixed(1)}`,
);
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify({ machine, rounds: Number(values.rounds), results }, null, 2)}\n`,
  );
if (values.write) writeTable();
process.exitCode = failed.length > 0 ? 1 : 0;

function made(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Between the marks in docs/performance.md. */
function writeTable(): void {
  const file = "docs/performance.md";
  const [head, , tail] = readFileSync(file, "utf8").split(/<!-- bench(?:-end)? -->/);
  if (tail === undefined) throw new Error(`${file} has no <!-- bench --> and <!-- bench-end -->.`);
  writeFileSync(
    file,
    `${head}<!-- bench -->\n${table}\n\n${machine}; ${values.rounds} rounds.\n<!-- bench-end -->${tail}`,
  );
}
