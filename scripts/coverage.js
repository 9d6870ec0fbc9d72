// What vitest's tests cover, by room: node scripts/coverage.js, after `vitest run --coverage`.
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {Record<string, { lines: { total: number, covered: number } }>} Summary as istanbul's json-summary */

/** A line for each folder of at most three names. @param {Summary} summary @param {string} root */
export function coverageByRoom(summary, root) {
  /** @type {Map<string, { total: number, covered: number }>} */
  const rooms = new Map();
  for (const [file, { lines }] of Object.entries(summary)) {
    const names = path.relative(root, path.dirname(file)).split(path.sep).slice(0, 3).join("/");
    for (const name of file === "total" ? ["all"] : [names]) {
      const room = rooms.get(name) ?? { total: 0, covered: 0 };
      room.total += lines.total;
      room.covered += lines.covered;
      rooms.set(name, room);
    }
  }
  const width = Math.max(...[...rooms.keys()].map((name) => name.length));
  return [...rooms]
    .sort(([a], [b]) => Number(a === "all") - Number(b === "all") || (a < b ? -1 : 1))
    .map(([name, { total, covered }]) => {
      const share = total === 0 ? "–" : `${((100 * covered) / total).toFixed(1)} %`;
      return `${name.padEnd(width)}  ${share.padStart(7)} of ${total} lines`;
    });
}

/** Prints it; says so where there is none. */
export function tellCoverage() {
  try {
    const summary = JSON.parse(readFileSync(path.join("coverage", "coverage-summary.json"), "utf8"));
    console.log(
      "\nLines covered in vitest's own process; what the built command, server and panel run is not seen:",
    );
    console.log(coverageByRoom(summary, process.cwd()).join("\n"));
  } catch (error) {
    console.log(`\nNo coverage was measured: ${error instanceof Error ? error.message : error}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) tellCoverage();
