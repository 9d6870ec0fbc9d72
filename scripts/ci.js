// `npm test`, then the panel and end-to-end tests with all they need. The last line is the sum: "N passed, N failed".
// What mostly waits for the network runs beside the first tests, and is told where its turn would be.
import "./noTelemetry.js";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { keep, run, step, tell } from "./steps.js";

let passed = 0;
let failed = 0;
const started = Date.now();

/** @param {string} text */
const say = (text) => console.log(`\n== ${text} (after ${((Date.now() - started) / 60_000).toFixed(1)} min)`);

const preparing = prepareEndToEnd();
const checking = checkDependencies();
say("npm test");
await npmTest();
say("injected faults and fuzz");
await vitest("vitest.faults.config.ts");
say("known faults of dependencies, and the Python lock on every Python");
for (const done of await checking) {
  if (tell(done)) passed++;
  else failed++;
}
say("what the end-to-end tests need");
const { done, missing } = await preparing;
for (const one of done) tell(one.ok ? { ...one, text: "" } : one);
if (missing.length > 0) {
  failed++;
  console.error(`The end-to-end tests did not run: ${missing.join(" ")}`);
} else {
  say("the panel in a real browser");
  await vitest("vitest.webview.config.ts");
  say("end-to-end tests in VS Code, by the packaged extension");
  await vitest("vitest.e2e.config.ts");
}
say("done");
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Its own sum is taken up in the one at the end. */
async function npmTest() {
  const child = spawn("npm", ["test", "--", "--coverage"], { stdio: ["ignore", "pipe", "inherit"] });
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

/** Each counts as one, as a check that is not a test of its own does. */
async function checkDependencies() {
  const done = [];
  for (const script of ["audit", "lock:check"])
    done.push(await keep(step("npm", ["run", "--silent", script]), { background: true }));
  return done;
}

/** Does what is left to do, and returns that and what is still missing. */
async function prepareEndToEnd() {
  const done = [];
  const missing = [];
  for (const { ready, steps, remedy } of [debianPackages(), codeServer()]) {
    let ok = ready;
    for (const one of steps) {
      const ended = await keep(one, { background: true });
      done.push(ended);
      ok = ended.ok;
      if (!ok) break;
    }
    if (!ok) missing.push(remedy);
  }
  return { done, missing };
}

/** A browser, and what code-server's native parts are compiled with. */
function debianPackages() {
  const chromium = process.env.LEAF_CHROMIUM ?? "/usr/bin/chromium";
  const wanted = [];
  if (!existsSync(chromium)) wanted.push("chromium");
  if (!existsSync("/usr/include/gssapi/gssapi.h")) wanted.push("libkrb5-dev");
  const root = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (/** @type {string[]} */ ...args) => step("apt-get", ["-qq", ...args], { env });
  const install = [apt("update"), apt("install", "-y", "--no-install-recommends", ...wanted)];
  return {
    ready: wanted.length === 0,
    steps: root && wanted.length > 0 ? install : [],
    remedy: `Install ${wanted.join(" and ")} (as root: apt-get install ${wanted.join(" ")}).`,
  };
}

/** VS Code itself, with a lock file of its own. */
function codeServer() {
  const folder = path.join("test", "e2e");
  const { dependencies } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const server = path.join(folder, "node_modules", "code-server");
  const compiled = existsSync(path.join(server, "lib", "vscode", "node_modules"));
  const version = () => JSON.parse(readFileSync(path.join(server, "package.json"), "utf8")).version;
  const ready = compiled && version() === dependencies["code-server"];
  return {
    ready,
    steps: ready ? [] : [step("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder })],
    remedy: "`npm ci` failed in test/e2e.",
  };
}

/** Runs vitest by one of its configs, on what `npm test` has built, and takes up its sum. @param {string} config */
async function vitest(config) {
  const out = mkdtempSync(path.join(tmpdir(), "leaf-ci-"));
  const report = path.join(out, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile=${report}`];
  const ok = await run(step("vitest", ["run", "--config", config, ...reporters]));
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
