// `npm test`, then the panel and end-to-end tests with all they need. The last line is the sum: "N passed, N failed".
import "./noTelemetry.js";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

let passed = 0;
let failed = 0;
const started = Date.now();

/** @param {string} text */
const say = (text) => console.log(`\n== ${text} (after ${((Date.now() - started) / 60_000).toFixed(1)} min)`);
/** @param {string} command @param {string[]} args @param {string} [cwd] */
const run = (command, args, cwd) => spawnSync(command, args, { cwd, stdio: "inherit" }).status === 0;

say("npm test");
await npmTest();
say("injected faults and fuzz");
vitest("test:faults");
say("known faults of dependencies, and the Python lock on every Python");
for (const script of ["audit", "lock:check"]) {
  if (run("npm", ["run", "--silent", script])) passed++;
  else failed++;
}
say("what the end-to-end tests need");
const missing = [...debianPackages(), ...codeServer()];
if (missing.length > 0) {
  failed++;
  console.error(`The end-to-end tests did not run: ${missing.join(" ")}`);
} else {
  say("the panel in a real browser");
  vitest("test:webview");
  say("end-to-end tests in VS Code, by the packaged extension");
  vitest("test:e2e");
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Its own sum is taken up in the one at the end. */
async function npmTest() {
  const child = spawn("npm", ["test"], { stdio: ["ignore", "pipe", "inherit"] });
  let counted = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const sum = /^(\d+) passed, (\d+) failed$/.exec(line);
    console.log(sum ? `npm test: ${line}` : line);
    if (!sum) continue;
    counted = true;
    passed += Number(sum[1]);
    failed += Number(sum[2]);
  }
  if (!counted) failed++;
}

/** A browser, and what code-server's native parts are compiled with. Returns what is missing. */
function debianPackages() {
  const chromium = process.env.LEAF_CHROMIUM ?? "/usr/bin/chromium";
  const wanted = [];
  if (!existsSync(chromium)) wanted.push("chromium");
  if (!existsSync("/usr/include/gssapi/gssapi.h")) wanted.push("libkrb5-dev");
  if (wanted.length === 0) return [];
  const root = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (/** @type {string[]} */ ...args) =>
    spawnSync("apt-get", ["-qq", ...args], { env, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  if (root && apt("update") && apt("install", "-y", "--no-install-recommends", ...wanted)) return [];
  return [`Install ${wanted.join(" and ")} (as root: apt-get install ${wanted.join(" ")}).`];
}

/** VS Code itself, with a lock file of its own. Returns what is missing. */
function codeServer() {
  const folder = path.join("test", "e2e");
  const { dependencies } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const installed = path.join(folder, "node_modules", "code-server", "package.json");
  const ready = existsSync(path.join(folder, "node_modules", "code-server", "lib", "vscode", "node_modules"));
  if (ready && JSON.parse(readFileSync(installed, "utf8")).version === dependencies["code-server"]) return [];
  return run("npm", ["ci", "--no-audit", "--no-fund"], folder) ? [] : ["`npm ci` failed in test/e2e."];
}

/** Runs one of npm's scripts that is vitest at its end, and takes up its sum. @param {string} script */
function vitest(script) {
  const out = mkdtempSync(path.join(tmpdir(), "leaf-ci-"));
  const report = path.join(out, "report.json");
  const args = ["--reporter=default", "--reporter=json", `--outputFile=${report}`];
  const ok = run("npm", ["run", "--silent", script, "--", ...args]);
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    passed += numPassedTests;
    failed += Math.max(numFailedTests, ok ? 0 : 1);
  } catch {
    failed++;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
