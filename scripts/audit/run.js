// `npm run audit`: known faults of the packages that LEAF is made of and that `leaf env` installs. A fault fails unless
// accepted.json lists its id with a reason; a registry that does not answer is said, and fails nothing.
import "../noTelemetry.js";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { npmAnswer, pipAnswer, verdict } from "./answers.js";

const pipAudit = "pip-audit==2.10.1";
const accepted = JSON.parse(readFileSync(new URL("./accepted.json", import.meta.url), "utf8"));
const shell = process.platform === "win32";

const folder = mkdtempSync(path.join(tmpdir(), "leaf-audit-"));
try {
  const npm = spawnSync("npm", ["audit", "--json"], { encoding: "utf8", shell });
  const verdicts = [verdict("npm audit", npmAnswer(npm.stdout), accepted)];
  const python = auditor();
  for (const lock of [
    "requirements.txt",
    "requirements-cuda.txt",
    "requirements-dev.txt",
    "requirements-ray.txt",
  ]) {
    const args = [
      "-m",
      "pip_audit",
      "--no-deps",
      "--disable-pip",
      "-f",
      "json",
      "-r",
      path.join("src", "python", lock),
    ];
    const said = python ? spawnSync(python, args, { encoding: "utf8" }).stdout : "";
    verdicts.push(verdict(`pip-audit ${lock}`, pipAnswer(said), accepted));
  }
  for (const { lines } of verdicts) console.log(lines.join("\n"));
  process.exitCode = verdicts.every(({ ok }) => ok) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** An interpreter with pip-audit, apart from all else; undefined where it cannot be had. */
function auditor() {
  const python = path.join(folder, "env", ...(shell ? ["Scripts", "python.exe"] : ["bin", "python"]));
  const ok =
    spawnSync("python3", ["-m", "venv", path.join(folder, "env")]).status === 0 &&
    spawnSync(python, ["-m", "pip", "install", "--quiet", pipAudit], {
      stdio: ["ignore", "ignore", "inherit"],
    }).status === 0;
  return ok ? python : undefined;
}
