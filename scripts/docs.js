// `npm run docs`: writes the references in docs/ from the schemas, the manifest, the command line and the sources, so that they
// cannot drift. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { experimentJsonSchema } from "../src/engine/experiments/schema.ts";
import { commandsPage } from "./docs/commands.js";
import { configPage } from "./docs/config.js";
import { head, section } from "./docs/keys.js";
import { messageTables } from "./docs/messages.js";

const keys = section(/** @type {import("./docs/keys.js").Schema} */ (experimentJsonSchema()), []);
const pages = {
  "docs/config.md": configPage(),
  "docs/commands.md": await commandsPage(),
  "docs/experiments.md": between("docs/experiments.md", "keys", `${head}\n${keys.join("\n")}\n`),
  "docs/troubleshooting.md": between("docs/troubleshooting.md", "messages", messageTables()),
};
for (const [name, content] of Object.entries(pages)) {
  if (!process.argv.includes("--check")) writeFileSync(name, content);
  else if (readFileSync(name, "utf8") !== content) {
    console.error(`${name} is not up to date: run \`npm run docs\`.`);
    process.exit(1);
  }
}

/** A page with what stands between two comments of a name put anew. @param {string} file @param {string} name @param {string} text */
function between(file, name, text) {
  const place = new RegExp(`(<!-- ${name}: [^>]*-->\\n)[\\s\\S]*?(<!-- /${name} -->)`);
  return readFileSync(file, "utf8").replace(place, (_, start, end) => `${start}\n${text}\n${end}`);
}
