// Collects the texts of the extension, the panel and what they share with the rest into l10n/bundle.l10n.json, which translations start from.
// `node scripts/l10n.js --check` only says whether the file is current.
import { globSync, readFileSync, writeFileSync } from "node:fs";

const file = "l10n/bundle.l10n.json";
const sources = globSync(["src/{extension,words}/**/*.ts", "webview/**/*.ts"]).sort();
/** The first argument of l10n.t, t, text and host.text: all the texts that are shown. */
const call = /(?<![\w$])(?:t|text)\(\s*("(?:[^"\\]|\\.)*")/g;

const texts = new Set();
for (const source of sources) {
  for (const [, literal] of readFileSync(source, "utf8").matchAll(call))
    if (literal) texts.add(JSON.parse(literal));
}
const bundle = Object.fromEntries([...texts].sort().map((text) => [text, text]));
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
