import { spawnSync } from "node:child_process";
import { uv } from "./uv.js";

const generator = "cyclonedx-bom==7.5.0";

/**
 * What a lock of src/python names, as an SBOM (CycloneDX): each package with its version and hashes.
 * @param {string} lock @param {string} out
 */
export function writePythonSbom(lock, out) {
  const [command, ...before] = uv();
  const ended = spawnSync(
    command,
    [...before, "tool", "run", "--quiet", "--from", generator, "cyclonedx-py", "requirements", lock].concat([
      "--output-format",
      "JSON",
      "--output-reproducible",
      "--output-file",
      out,
    ]),
    { encoding: "utf8" },
  );
  if (ended.status !== 0) throw new Error(`${generator} failed for ${lock}: ${ended.stderr}`);
}
