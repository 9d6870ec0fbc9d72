// The native packages that the bundles load at run time, for one platform.
import "../noTelemetry.js";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";

/** Platforms of VS Code for which both sharp and onnxruntime-node carry binaries. */
export const targets = /** @type {const} */ ([
  "linux-x64",
  "linux-arm64",
  "darwin-arm64",
  "win32-x64",
  "win32-arm64",
]);
/** @typedef {(typeof targets)[number]} Target */

/** Neither types, sources and maps, nor what only an install script needs. Where libvips is, a README tells its parts' licences. */
const kept =
  /(^@img\/sharp-[^/]+\/README\.md$)|(^|\/)(package\.json|versions\.json|LICENSE[^/]*|[^/]+\.([cm]?js|node|wasm|dll|dylib|so(\.\d+)*))$/;
const dropped = [
  /^onnxruntime-node\/(script|lib)\//,
  /^onnxruntime-common\/(lib\/|dist\/esm\/)/,
  /^sharp\/(install|src)\//,
  /^semver\/bin\//,
  // Of HEIC the one file with the WebAssembly inside is loaded; of JPEG XL the decoder alone.
  /^libheif-js\/(libheif\/.*\.js|libheif-wasm\/(libheif\.(js|wasm)|.*\.mjs))$/,
  /^@jsquash\/jxl\/(codec\/enc\/|codec\/pre\.js)/,
  // The same library under a second name, which nothing asks for.
  /^onnxruntime-node\/bin\/napi-v6\/darwin\/arm64\/libonnxruntime\.\d+\.\d+\.\d+\.dylib$/,
];

/** This machine's platform, in VS Code's words. */
export const here = `${process.platform}-${process.arch}`;

/**
 * Copies them into a `node_modules` folder. Platforms other than this one are fetched by npm into a cache.
 * @param {Target} target @param {string} out
 */
export function copyNatives(target, out) {
  const [os, cpu] = target.split("-");
  const modules = modulesFor(target);
  const images = Object.keys(manifest(path.join(modules, "sharp")).optionalDependencies ?? {}).filter(
    (name) => new RegExp(`^@img/sharp(-libvips)?-${target}$`).test(name),
  );
  for (const name of ["sharp", "@img/colour", "detect-libc", "semver", ...images]) {
    // Windows' libvips comes inside sharp's own binaries.
    if (existsSync(path.join(modules, name))) copyPackage(modules, name, out);
    else if (!name.startsWith("@img/sharp-libvips")) throw new Error(`${name} is not installed.`);
  }
  // LGPL: a file of its own, which whoever gets the extension may replace.
  copyPackage("node_modules", "libheif-js", out);
  copyPackage("node_modules", "@jsquash/jxl", out);
  copyPackage("node_modules", "onnxruntime-common", out);
  copyPackage("node_modules", "onnxruntime-node", out, (file) => {
    const binary = /^onnxruntime-node\/bin\/[^/]+\/([^/]+)\/([^/]+)\//.exec(file);
    return !binary || (binary[1] === os && binary[2] === cpu);
  });
  if (!existsSync(path.join(out, "onnxruntime-node", "bin", "napi-v6", os ?? "", cpu ?? "")))
    throw new Error(`onnxruntime-node carries no binaries for ${target}.`);
}

/** A `node_modules` with sharp for the target. @param {Target} target */
function modulesFor(target) {
  const { version } = manifest(path.join("node_modules", "sharp"));
  if (target === here) return "node_modules";
  const folder = path.resolve("node_modules", ".cache", "leaf-natives", `sharp-${version}-${target}`);
  const modules = path.join(folder, "node_modules");
  if (existsSync(path.join(modules, "@img", `sharp-${target}`))) return modules;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const [os, cpu] = target.split("-");
  const args = [
    "install",
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    `--os=${os}`,
    `--cpu=${cpu}`,
  ];
  if (os === "linux") args.push("--libc=glibc");
  const { status } = spawnSync("npm", [...args, "--prefix", folder, `sharp@${version}`], {
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`npm could not fetch sharp ${version} for ${target}.`);
  return modules;
}

/** @param {string} modules @param {string} name @param {string} out @param {(file: string) => boolean} [wanted] */
function copyPackage(modules, name, out, wanted = () => true) {
  for (const file of files(path.join(modules, name), name)) {
    if (!kept.test(file) || dropped.some((one) => one.test(file)) || !wanted(file)) continue;
    cpSync(path.join(modules, file), path.join(out, file), { dereference: true });
  }
}

/** Paths below a folder with a prefix and forward slashes. @param {string} folder @param {string} prefix @returns {string[]} */
function files(folder, prefix) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? files(path.join(folder, entry.name), `${prefix}/${entry.name}`)
      : [`${prefix}/${entry.name}`],
  );
}

/** @param {string} folder @returns {{version: string, optionalDependencies?: Record<string, string>}} */
function manifest(folder) {
  return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
}
