// Writes the locks of src/python with uv: `npm run lock:python`. Versions stay as they are unless a .in file moves them;
// -- --upgrade-package NAME or -- --upgrade moves others.
import "../noTelemetry.js";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { blocksOf, cudaOnly, nameOf } from "./blocks.js";
import { uv } from "./uv.js";

const folder = path.join("src", "python");
const lowest = /requires-python = ">=([\d.]+)/.exec(
  readFileSync(path.join(folder, "pyproject.toml"), "utf8"),
)?.[1];
const generated = (/** @type {string} */ source) =>
  `# Of ${source}, by \`npm run lock:python\`: every version and hash, for every platform. Install with --require-hashes --no-deps.`;

const trainer = compile("requirements.in", ["requirements.txt", "requirements-cuda.txt"]);
const [cuda, common] = [trainer.filter(cudaOnly), trainer.filter((one) => !cudaOnly(one))];
write("requirements.txt", generated("requirements.in"), common);
write(
  "requirements-cuda.txt",
  `${generated("requirements.in")}\n# What PyTorch's CUDA build for Linux needs besides.`,
  cuda,
);
const known = new Set(trainer.map(nameOf));
const dev = compile("requirements-dev.in", ["requirements-dev.txt"]).filter((one) => !known.has(nameOf(one)));
write("requirements-dev.txt", `${generated("requirements-dev.in")}\n# Beside requirements.txt.`, dev);
write(
  "requirements-ray.txt",
  generated("requirements-ray.in"),
  compile("requirements-ray.in", ["requirements-ray.txt", "requirements.txt"]),
);

/** @param {string} source @param {string[]} locks those before, whose versions are kept @returns {string[]} */
function compile(source, locks) {
  const out = path.join(folder, ".lock.tmp");
  writeFileSync(out, locks.map((one) => readIfThere(path.join(folder, one))).join("\n"));
  const args = [
    "--universal",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--quiet",
    "--output-file",
    out,
  ];
  const [command, ...before] = uv();
  const { status } = spawnSync(
    command,
    [
      ...before,
      "pip",
      "compile",
      "--python-version",
      lowest ?? "",
      ...args,
      ...process.argv.slice(2),
      path.join(folder, source),
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  if (status !== 0) throw new Error(`uv could not resolve ${source}.`);
  const text = readFileSync(out, "utf8");
  rmSync(out);
  return blocksOf(text);
}

/** @param {string} name @param {string} header @param {string[]} blocks */
function write(name, header, blocks) {
  writeFileSync(path.join(folder, name), `${[header, ...blocks].join("\n")}\n`);
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
