// For a script that starts tools: none of them reports home. Imported for its effect.
import { readFileSync } from "node:fs";

const list = new URL("../src/python/leaf/no_telemetry.json", import.meta.url);
for (const { variables } of JSON.parse(readFileSync(list, "utf8"))) Object.assign(process.env, variables);
