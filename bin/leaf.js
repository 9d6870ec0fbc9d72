#!/usr/bin/env node
// `node:sqlite` needs Node 22.13. On an older Node the command starts itself again on the one that npm installed
// beside this package; where there is none it says so.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const main = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

if (!existsSync(main)) {
  console.error("leaf: dist/cli.js is missing. Run `npm run build`.");
  process.exit(1);
} else if (major > 22 || (major === 22 && minor >= 13)) {
  await import(new URL("../dist/cli.js", import.meta.url).href);
} else {
  const local = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  if (!existsSync(local)) {
    console.error(`leaf: Node ${process.versions.node} is too old. Install Node 22.13 or newer.`);
    process.exit(1);
  }
  const child = spawn(local, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"]))
    process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 130));
}
