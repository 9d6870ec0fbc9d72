// Writes what Python knows of the protocol (JSON Schema, and typed Python made of it) from the zod schemas of src/protocol/schema,
// so that the two cannot drift. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { contractSchema, contracts } from "../src/protocol/schema/contract.ts";
import { pythonOf } from "./contract/python.js";

const folder = path.join("src", "python", "leaf", "contract");
for (const [name, contract] of Object.entries(contracts)) {
  const schema = contractSchema(contract);
  const header = `Of src/protocol/schema/${name}.ts, by \`npm run contract\`: do not edit.`;
  keep(`${name}.json`, `${JSON.stringify({ $comment: header, ...schema }, null, 2)}\n`);
  keep(`${name}.py`, pythonOf(header, schema.$defs ?? {}));
}

/** @param {string} name @param {string} text */
function keep(name, text) {
  const file = path.join(folder, name);
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) {
    console.error(`${file} is not up to date: run \`npm run contract\`.`);
    process.exitCode = 1;
  }
}
