// The layers of the sources, checked: `node scripts/rooms.js` (part of `npm run check`). docs/architecture.md says what each is for.
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** From the ground up: a room imports only rooms that stand before it. */
export const rooms = [
  "protocol",
  "words",
  ...[
    ..."base images tables mos config consent python failures metrics dataset teachers labels student".split(
      " ",
    ),
    ..."selection reliability labelling pipeline scoring cluster serving views report experiments jobs ratings".split(
      " ",
    ),
  ].map((room) => `engine/${room}`),
  "cli",
  "server",
  "extension",
  "webview",
];

/** Rooms that may import less than all that stands before them. */
const only = new Map([
  // In the editor's own process and in the browser: all thinking is in the server.
  ["extension", ["protocol", "words", "engine/base", "engine/images"]],
  ["webview", ["protocol", "words", "engine/tables"]],
  ["server", rooms.slice(0, rooms.indexOf("cli"))],
]);

/** What comes from outside, and the only rooms that may import it. @type {[RegExp, string[]][]} */
const outside = [
  [/^vscode$/, ["extension"]],
  [/^vscode-languageclient/, ["extension"]],
  [/^vscode-languageserver/, ["server"]],
  [/^node:/, rooms.filter((room) => !["protocol", "words", "webview"].includes(room))],
];

/** The rooms that a room may import. @param {string} room */
export function importable(room) {
  return only.get(room) ?? rooms.slice(0, rooms.indexOf(room));
}

/** @typedef {{ file: string, line: number, text: string }} Fault */

/**
 * Imports that go up, sideways to what a room may not know, or in a circle.
 * @param {ReadonlyMap<string, string>} sources text by path, with forward slashes
 * @returns {Fault[]}
 */
export function faultsOf(sources) {
  /** @type {Fault[]} */
  const faults = [];
  /** @type {Map<string, string[]>} */
  const graph = new Map();
  for (const [file, text] of sources) {
    const room = roomOf(file);
    const targets = [];
    if (!room) faults.push({ file, line: 1, text: "stands in no room of scripts/rooms.js" });
    for (const { specifier, line } of importsOf(text)) {
      if (!specifier.startsWith(".")) {
        const rule = outside.find(([name]) => name.test(specifier));
        if (room && rule && !rule[1].includes(room))
          faults.push({ file, line, text: `${room} may not import ${specifier}` });
        continue;
      }
      const target = path.posix.join(path.posix.dirname(file), specifier);
      const other = roomOf(target);
      if (sources.has(target)) targets.push(target);
      if (!room || !other || room === other) continue;
      if (!importable(room).includes(other))
        faults.push({ file, line, text: `${room} may not import ${other} (${target})` });
    }
    graph.set(file, targets);
  }
  for (const circle of circles(graph))
    faults.push({
      file: /** @type {string} */ (circle[0]),
      line: 1,
      text: `a circle of imports: ${circle.join(" → ")}`,
    });
  return faults;
}

/** @param {string} file */
function roomOf(file) {
  const [top, second, third] = file.split("/");
  const room = top === "webview" ? "webview" : second === "engine" ? `engine/${third}` : second;
  return rooms.find((one) => one === room);
}

/** @param {string} text */
function* importsOf(text) {
  for (const match of text.matchAll(/(?:\bfrom|\bimport\(|\bimport)\s*"([^"\n]+)"/g))
    yield {
      specifier: /** @type {string} */ (match[1]),
      line: text.slice(0, match.index).split("\n").length,
    };
}

/** Files that import each other, by Tarjan's strongly connected components. @param {Map<string, string[]>} graph */
function circles(graph) {
  /** @type {Map<string, { at: number, low: number, open: boolean }>} */
  const seen = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @type {string[][]} */
  const found = [];
  /** @param {string} file */
  const visit = (file) => {
    const own = { at: seen.size, low: seen.size, open: true };
    seen.set(file, own);
    stack.push(file);
    for (const target of graph.get(file) ?? []) {
      const known = seen.get(target) ?? visit(target);
      if (known.open) own.low = Math.min(own.low, known.low);
    }
    if (own.low === own.at) {
      const circle = stack.splice(stack.indexOf(file));
      for (const one of circle) /** @type {{ open: boolean }} */ (seen.get(one)).open = false;
      if (circle.length > 1) found.push(circle);
    }
    return own;
  };
  for (const file of graph.keys()) if (!seen.has(file)) visit(file);
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = globSync(["src/**/*.ts", "webview/**/*.ts"]).map((file) => file.replaceAll("\\", "/"));
  const faults = faultsOf(new Map(files.map((file) => [file, readFileSync(file, "utf8")])));
  for (const { file, line, text } of faults) console.error(`${file}:${line}: ${text}`);
  if (faults.length > 0) process.exitCode = 1;
  else console.log(`${files.length} files in ${rooms.length} rooms: no import goes up, no circle.`);
}
