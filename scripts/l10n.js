// Collects all that is said to people into l10n/bundle.l10n.json, which translations start from.
// `node scripts/l10n.js --check` only says whether the file is current.
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { configJsonSchema } from "../src/engine/config/config.ts";
import { experimentJsonSchema } from "../src/engine/experiments/schema.ts";

const file = "l10n/bundle.l10n.json";
const sources = globSync(["src/{extension,server,engine,words,cli}/**/*.ts", "webview/**/*.ts"]).sort();
/** The first argument of l10n.t, t, text, host.text and marked. */
const call = /(?<![\w$])(?:t|text|marked)\(\s*("(?:[^"\\]|\\.)*")/g;
const texts = new Set();
for (const source of sources) {
  const code = readFileSync(source, "utf8");
  for (const [, literal] of code.matchAll(call))
    if (literal && literal !== '""') texts.add(JSON.parse(literal));
  for (const template of sentences(code)) texts.add(template);
}
for (const schema of [configJsonSchema(), experimentJsonSchema()])
  for (const one of descriptions(schema)) texts.add(one);

/**
 * The templates of say`…`, as src/words/text.ts makes them; one sentence may stand in another.
 * @param {string} code
 * @returns {Generator<string>}
 */
function* sentences(code) {
  for (let at = code.indexOf("say`"); at >= 0; at = code.indexOf("say`", at + 4)) {
    if (/[\w$.*]/.test(code[at - 1] ?? "")) continue;
    let [template, places, from] = ["", 0, at + 4];
    for (let i = from; code[i] !== "`"; ) {
      if (code[i] === "\\") {
        template += code[i + 1] === "n" ? "\n" : code[i + 1];
        i += 2;
      } else if (code.startsWith("${", i)) {
        template += `{${places++}}`;
        i = endOf(code, i + 2);
      } else template += code[i++];
    }
    if (/\p{L}/u.test(template.replaceAll(/\{\d+\}/g, ""))) yield template;
  }
}

/**
 * The place after the brace that ends an expression.
 * @param {string} code
 * @param {number} from
 * @returns {number}
 */
function endOf(code, from) {
  for (let i = from; ; i++) {
    if (code[i] === "}") return i + 1;
    if (code[i] === "{") i = endOf(code, i + 1) - 1;
    else if (code[i] === '"' || code[i] === "'")
      for (const quote = code[i++]; code[i] !== quote; i++) if (code[i] === "\\") i++;
    if (code[i] === "`") i = endOfTemplate(code, i + 1) - 1;
  }
}

/** @param {string} code @param {number} from @returns {number} */
function endOfTemplate(code, from) {
  for (let i = from; ; i++) {
    if (code[i] === "`") return i + 1;
    if (code[i] === "\\") i++;
    else if (code.startsWith("${", i)) i = endOf(code, i + 2) - 1;
  }
}

/**
 * What a schema tells of its keys.
 * @param {unknown} node
 * @returns {Generator<string>}
 */
function* descriptions(node) {
  if (node === null || typeof node !== "object") return;
  if ("description" in node && typeof node.description === "string") yield node.description;
  for (const inner of Object.values(node)) yield* descriptions(inner);
}

const bundle = Object.fromEntries([...texts].sort().map((text) => [text, text.replace(/\/noun$/, "")]));
const content = `${JSON.stringify(bundle, null, 2)}\n`;

if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== content) {
    console.error(`${file} is out of date: run \`node scripts/l10n.js\`.`);
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, content);
  console.log(`${file}: ${texts.size} texts.`);
}
