// Makes the .vsix of a platform: `npm run package -- --target linux-x64` (default: this platform; `all` for every one).
// `--repository URL` puts the links to it into the manifest.
// It packages dist/ as it is; the npm script builds it before. The file lands in dist/, or in the folder that --out names.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import vsce from "@vscode/vsce";
import { copyNatives, here, targets } from "./package/natives.js";
import { packagesIn, thirdPartyNotices } from "./package/notices.js";

/** @typedef {import("./package/natives.js").Target} Target */

const { values } = parseArgs({
  options: {
    target: { type: "string", default: here },
    out: { type: "string", default: "dist" },
    repository: { type: "string" },
  },
});
const wanted = values.target === "all" ? targets : targets.filter((one) => one === values.target);
if (wanted.length === 0) {
  console.error(
    `There is no package for ${values.target}: sharp and onnxruntime-node carry binaries for ${targets.join(", ")}.`,
  );
  process.exit(2);
}

// The allow-list is the root's .vscodeignore; the natives are not there yet.
const listed = await vsce.listFiles({ cwd: process.cwd(), packageManager: vsce.PackageManager.None });
mkdirSync(values.out, { recursive: true });
for (const target of wanted) await packageFor(target);

/** @param {Target} target */
async function packageFor(target) {
  const staging = mkdtempSync(path.join(tmpdir(), "leaf-vsix-"));
  try {
    for (const file of [...listed, ".vscodeignore"])
      if (!file.startsWith("dist/node_modules/")) cpSync(file, path.join(staging, file));
    const manifest = JSON.parse(readFileSync("package.json", "utf8"));
    writeFileSync(path.join(staging, "package.json"), JSON.stringify(shipped(manifest), null, 2));
    const natives = path.join(staging, "dist", "node_modules");
    copyNatives(target, natives);
    const bundled = JSON.parse(readFileSync("dist/packages.json", "utf8"));
    writeFileSync(
      path.join(staging, "ThirdPartyNotices.txt"),
      thirdPartyNotices([...bundled, ...packagesIn(natives)]),
    );
    const file = path.resolve(values.out, `${manifest.name}-${target}-${manifest.version}.vsix`);
    await vsce.createVSIX({
      cwd: staging,
      packagePath: file,
      target,
      dependencies: false,
      ...linkBase(manifest.version),
      allowMissingRepository: true,
    });
    console.log(`${path.relative(process.cwd(), file)}: ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB`);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** The manifest without what only the repository uses: the bundles hold the dependencies. @param {Record<string, unknown>} manifest */
function shipped({ scripts, dependencies, devDependencies, allowScripts, private: _private, ...rest }) {
  return { ...rest, ...linksOf(values.repository) };
}

/** The README's links lead to the repository, at this version, where that is known; its pictures ship. @param {string} version */
function linkBase(version) {
  const url = values.repository;
  if (!url) return { rewriteRelativeLinks: false };
  return {
    rewriteRelativeLinks: true,
    baseContentUrl: `${url}/blob/v${version}`,
    baseImagesUrl: `${url}/raw/v${version}`,
  };
}

/** Where the code is, is known to who publishes it. @param {string | undefined} url */
function linksOf(url) {
  if (!url) return {};
  const repository = { type: "git", url: `${url}.git` };
  return { repository, bugs: { url: `${url}/issues` }, homepage: `${url}#readme`, qna: `${url}/discussions` };
}
