// `npm run release -- --tag v0.1.0 [--repository URL] [--target linux-x64] [--wheels FOLDER] [--out release]`: all that is published, in one
// folder: a .vsix for each platform, checked on what is in it, the wheel of leaf-iqa, SHA256SUMS, SBOMs (CycloneDX) of npm's packages and
// of Python's, and NOTES.md. It publishes nothing.
import "./noTelemetry.js";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { targets } from "./package/natives.js";
import { writePythonSbom } from "./python/sbom.js";
import { faultsOf, notesOf, wheelFault } from "./release/contents.js";

const { values } = parseArgs({
  options: {
    tag: { type: "string" },
    repository: { type: "string" },
    target: { type: "string", default: "all" },
    wheels: { type: "string" },
    out: { type: "string", default: "release" },
  },
});
const { out } = values;
const { name, version } = JSON.parse(readFileSync("package.json", "utf8"));
if (values.tag !== undefined && values.tag !== `v${version}`)
  fail(`The tag ${values.tag} is not that of package.json, which is v${version}.`);
const notes = notesOf(readFileSync("CHANGELOG.md", "utf8"), version);
if (!notes) fail(`CHANGELOG.md has nothing about ${version}.`);
const wheels = values.wheels ? readdirSync(values.wheels) : undefined;
const wheelIsWrong = wheels && wheelFault(wheels, version);
if (wheelIsWrong) fail(wheelIsWrong);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
step(process.execPath, ["scripts/build.js", "--production"]);
const repository = values.repository ? ["--repository", values.repository] : [];
step(process.execPath, ["scripts/package.js", "--target", values.target, "--out", out, ...repository]);

let wrong = false;
for (const target of values.target === "all" ? targets : [values.target]) {
  const file = path.join(out, `${name}-${target}-${version}.vsix`);
  const faults = faultsOf(readFileSync(file), { target, version });
  console.log(`${file}: ${faults.length === 0 ? "as it should be" : faults.join(" ")}`);
  wrong ||= faults.length > 0;
}
if (wrong) fail("Not to be published.");

const sbom = spawnSync("npm", ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev"], {
  encoding: "utf8",
  shell: process.platform === "win32",
  maxBuffer: 2 ** 28,
});
if (sbom.status !== 0) fail(`npm sbom failed: ${sbom.stderr}`);
writeFileSync(path.join(out, "sbom.cdx.json"), sbom.stdout);
writePythonSbom(path.join("src", "python", "requirements.txt"), path.join(out, "sbom-python.cdx.json"));
for (const wheel of wheels ?? []) copyFileSync(path.join(values.wheels ?? "", wheel), path.join(out, wheel));
writeFileSync(path.join(out, "NOTES.md"), `${notes}\n`);
const sums = globSync("*", { cwd: out })
  .sort()
  .map(
    (file) =>
      `${createHash("sha256")
        .update(readFileSync(path.join(out, file)))
        .digest("hex")}  ${file}\n`,
  );
writeFileSync(path.join(out, "SHA256SUMS"), sums.join(""));
console.log(sums.join(""));

/** @param {string} command @param {string[]} args */
function step(command, args) {
  if (spawnSync(command, args, { stdio: "inherit" }).status !== 0) fail(`${args[0]} failed.`);
}

/** @param {string} sentence @returns {never} */
function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
