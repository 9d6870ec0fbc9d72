// All tests: types and style, TypeScript (vitest), Python (ruff, mypy, pytest). Ends with "N passed, N failed".
// Sets up the Python environment first, the same one that `leaf env` makes; LEAF_PYTHON names another interpreter.
// With --coverage it says what vitest's tests cover.
import "./noTelemetry.js";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { tellCoverage } from "./coverage.js";
import { keep, run, step, tell } from "./steps.js";

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
const coverage = process.argv.includes("--coverage");
const out = mkdtempSync(path.join(tmpdir(), "leaf-test-"));
const source = path.join("src", "python");
let passed = 0;
let failed = 0;

/** A check that is not a test of its own counts as one. @param {boolean} ok */
function count(ok) {
  if (ok) passed++;
  else failed++;
}

/** @param {string} name */
const tool = (name) => path.join("node_modules", ".bin", process.platform === "win32" ? `${name}.cmd` : name);

count(await run(step(process.execPath, ["scripts/build.js"])));
// Python's packages come over the network; what needs none of them runs meanwhile.
const preparing = preparePython();
const ray = prepareRay();
if (only !== "python") {
  count(await run(step(tool("biome"), ["check", "."])));
  for (const project of [".", "webview", "test/webview"])
    count(await run(step(tool("tsc"), ["--noEmit", "-p", project])));
}
const { environment, python, steps } = await preparing;
for (const done of steps) count(tell(done));
const rayDone = await ray;
tell(rayDone);

if (only !== "python") {
  const report = path.join(out, "vitest.json");
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile=${report}`];
  if (coverage) args.push("--coverage");
  const env = { ...process.env, LEAF_PYTHON: python, ...(rayDone.ok && { LEAF_TEST_RAY: "1" }) };
  const ok = await run(step(tool("vitest"), args, { env }));
  const counts = readCounts(report);
  passed += counts?.passed ?? 0;
  failed += counts ? Math.max(counts.failed, ok ? 0 : 1) : 1;
  if (coverage) tellCoverage();
}
if (only !== "typescript" && environment) await testPython();

rmSync(out, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** The environment, and with it what the tests need: TypeScript's too, among which are real servers of small models. */
async function preparePython() {
  const made = await keep(step(process.execPath, ["bin/leaf.js", "env"]));
  const described = spawnSync(process.execPath, ["bin/leaf.js", "env", "--check", "--json"], {
    encoding: "utf8",
  });
  const python = described.status === 0 ? JSON.parse(described.stdout).interpreter : "python3";
  if (!made.ok) return { environment: false, python, steps: [made] };
  const options = ["--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:"];
  const packages = [...options, "-r", path.join(source, "requirements-dev.txt")];
  // An environment that uv made has no pip.
  const hasPip = spawnSync(python, ["-m", "pip", "--version"]).status === 0;
  const tools = await keep(
    hasPip
      ? step(python, ["-m", "pip", "install", ...packages])
      : step("uv", ["pip", "install", "--python", python, ...packages]),
  );
  return { environment: true, python, steps: [made, tools] };
}

/**
 * Ray, the extra for clusters, in an environment of its own: less than the trainer's, and made meanwhile. Not for every system and Python are
 * there wheels of it: without them what needs it is left out, and says so.
 */
function prepareRay() {
  return keep(step(process.execPath, ["bin/leaf.js", "env", "--extra", "ray"]));
}

/** Packages of that environment: Arrow is among them. */
function raySite() {
  const found = spawnSync(process.execPath, ["bin/leaf.js", "env", "--extra", "ray", "--check", "--json"], {
    encoding: "utf8",
  });
  if (found.status !== 0) return {};
  const code = "import sysconfig; print(sysconfig.get_path('purelib'))";
  const site = spawnSync(JSON.parse(found.stdout).interpreter, ["-c", code], { encoding: "utf8" });
  return { LEAF_RAY_SITE: site.stdout.trim() };
}

/** Two at once, as long as one another: the trainer's tests compute on one thread. */
async function testPython() {
  const slow = ["training", "explain", "targets", "levels", "passes", "bench_gpu"].map(
    (name) => `tests/test_${name}.py`,
  );
  const [rest, [checks, trainings]] = await Promise.all([
    pytest("rest", ...slow.map((file) => `--ignore=${file}`)),
    checkPython().then(async (done) => /** @type {const} */ ([done, await pytest("slow", ...slow)])),
  ]);
  for (const done of checks) count(tell(done));
  for (const { done, report } of [trainings, rest]) {
    tell(done);
    const [tests = 0, errors = 0, failures = 0] = ["tests", "errors", "failures"].map((name) =>
      attribute(report, name),
    );
    passed += tests - errors - failures;
    failed += Math.max(errors + failures, done.ok ? 0 : 1);
  }
}

async function checkPython() {
  const done = [];
  for (const args of [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]])
    done.push(await keep(step(python, ["-m", ...args], { cwd: source })));
  return done;
}

/** @param {string} name @param {string[]} which */
async function pytest(name, ...which) {
  const report = path.join(out, `${name}.xml`);
  const args = ["-m", "pytest", "-q", `--junitxml=${report}`, ...which];
  const env = { ...process.env, ...raySite() };
  return { report, done: await keep(step(python, args, { cwd: source, env })) };
}

/** @param {string} report */
function readCounts(report) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    return { passed: Number(numPassedTests), failed: Number(numFailedTests) };
  } catch {
    return undefined;
  }
}

/** A count in the JUnit file's <testsuite>. @param {string} report @param {string} name */
function attribute(report, name) {
  try {
    return Number(
      new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(readFileSync(report, "utf8"))?.[1] ?? 0,
    );
  } catch {
    return 0;
  }
}
