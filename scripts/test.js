// All tests: types and style, TypeScript (vitest), Python (ruff, mypy, pytest). Ends with "N passed, N failed".
// Sets up the Python environment first, the same one that `leaf env` makes; LEAF_PYTHON names another interpreter.
import "./noTelemetry.js";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
const out = mkdtempSync(path.join(tmpdir(), "leaf-test-"));
let passed = 0;
let failed = 0;

/** @param {string} command @param {string[]} args @param {import("node:child_process").SpawnSyncOptions} [options] */
function run(command, args, options = {}) {
  console.log(`\n> ${[path.basename(command), ...args].join(" ")}`);
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: "inherit", ...options });
  console.log(`(${((performance.now() - started) / 1000).toFixed(0)} s)`);
  return status === 0;
}

/** A check that is not a test of its own counts as one. @param {boolean} ok */
function count(ok) {
  if (ok) passed++;
  else failed++;
}

/** @param {string} name */
const tool = (name) => path.join("node_modules", ".bin", process.platform === "win32" ? `${name}.cmd` : name);

count(run(process.execPath, ["scripts/build.js"]));
const environment = run(process.execPath, ["bin/leaf.js", "env"]);
count(environment);
const described = spawnSync(process.execPath, ["bin/leaf.js", "env", "--check", "--json"], {
  encoding: "utf8",
});
const python = described.status === 0 ? JSON.parse(described.stdout).interpreter : "python3";

// TypeScript's tests need them too: among them are real servers of small models.
const source = path.join("src", "python");
if (environment) {
  const install = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--require-hashes",
    "--no-deps",
    "--only-binary=:all:",
    "-r",
  ];
  count(run(python, [...install, path.join(source, "requirements-dev.txt")]));
}

if (only !== "python") {
  count(run(tool("biome"), ["check", "."]));
  for (const project of [".", "webview", "test/webview"])
    count(run(tool("tsc"), ["--noEmit", "-p", project]));
  const report = path.join(out, "vitest.json");
  const ok = run(tool("vitest"), ["run", "--reporter=default", "--reporter=json", `--outputFile=${report}`], {
    env: { ...process.env, LEAF_PYTHON: python },
  });
  const counts = readCounts(report);
  passed += counts?.passed ?? 0;
  failed += counts ? Math.max(counts.failed, ok ? 0 : 1) : 1;
}

if (only !== "typescript" && environment) {
  for (const args of [
    ["-m", "ruff", "check", "."],
    ["-m", "ruff", "format", "--check", "."],
    ["-m", "mypy"],
  ])
    count(run(python, args, { cwd: source }));
  const report = path.join(out, "pytest.xml");
  const ok = run(python, ["-m", "pytest", "-q", `--junitxml=${report}`], { cwd: source });
  const [tests = 0, errors = 0, failures = 0] = ["tests", "errors", "failures"].map((name) =>
    attribute(report, name),
  );
  passed += tests - errors - failures;
  failed += Math.max(errors + failures, ok ? 0 : 1);
}

rmSync(out, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

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
