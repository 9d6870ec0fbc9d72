// `npm run lock:check`: every supported Python on every platform finds a wheel of each locked package, by asking the index and
// downloading nothing; and each Python that is on this machine can read the trainer's sources.
import "../noTelemetry.js";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { uv } from "./uv.js";

const folder = path.join("src", "python");
const project = readFileSync(path.join(folder, "pyproject.toml"), "utf8");
const [, from = 0, before = 0] = (/requires-python = ">=3\.(\d+),<3\.(\d+)"/.exec(project) ?? []).map(Number);
const minors = Array.from({ length: before - from }, (_, i) => from + i);
/** What is installed into one environment. @type {Record<string, string[]>} */
const environments = {
  trainer: ["requirements.txt", "requirements-cuda.txt"],
  Ray: ["requirements-ray.txt"],
};
const platforms = [
  "x86_64-manylinux_2_28",
  "aarch64-manylinux_2_28",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];
const [command, ...way] = uv();
const target = mkdtempSync(path.join(tmpdir(), "leaf-lock-"));
const install = [
  "pip",
  "install",
  "--dry-run",
  "--require-hashes",
  "--no-deps",
  "--only-binary=:all:",
  "--target",
  target,
];
let failed = 0;

const places = minors.flatMap((minor) => platforms.map((platform) => ({ minor, platform })));
for (const [what, locks] of Object.entries(environments)) {
  for (const { minor, platform } of places) {
    const args = [
      ...way,
      ...install,
      "--python-version",
      `3.${minor}`,
      "--python-platform",
      platform,
      ...locks.flatMap((name) => ["-r", path.join(folder, name)]),
    ];
    // PyTorch's wheels for macOS are for 14 and newer.
    const env = { ...process.env, MACOSX_DEPLOYMENT_TARGET: "14.0" };
    const { status, stderr } = spawnSync(command, args, { encoding: "utf8", env });
    const packages = /Would install (\d+) packages/.exec(stderr)?.[1];
    tell(
      `${what}, Python 3.${minor} on ${platform}`,
      status === 0,
      packages ? `${packages} packages` : stderr.trim(),
    );
  }
}
for (const minor of minors) {
  const python = interpreter(minor);
  if (!python) console.log(`Python 3.${minor}: not on this machine, its syntax was not tried`);
  else {
    const compile =
      "import pathlib, sys\nfor f in pathlib.Path('leaf').rglob('*.py'): compile(f.read_text('utf8'), f, 'exec')";
    const { status, stderr } = spawnSync(python, ["-c", compile], { cwd: folder, encoding: "utf8" });
    tell(`Python 3.${minor} reads the trainer`, status === 0, status === 0 ? python : stderr.trim());
  }
}
rmSync(target, { recursive: true });
process.exitCode = failed === 0 ? 0 : 1;

/** @param {string} what @param {boolean} ok @param {string} detail */
function tell(what, ok, detail) {
  if (!ok) failed++;
  console.log(`${ok ? "ok" : "FAILED"}  ${what}: ${detail}`);
}

/** Of the PATH or of pyenv. @param {number} minor */
function interpreter(minor) {
  const versions = path.join(process.env.PYENV_ROOT ?? path.join(homedir(), ".pyenv"), "versions");
  let pyenv = /** @type {string[]} */ ([]);
  try {
    pyenv = readdirSync(versions).filter((name) => name.startsWith(`3.${minor}.`));
  } catch {
    // No pyenv.
  }
  const found = [`python3.${minor}`, ...pyenv.map((name) => path.join(versions, name, "bin", "python"))];
  return found.find((one) => spawnSync(one, ["-c", "pass"]).status === 0);
}
