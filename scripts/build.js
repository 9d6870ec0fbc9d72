// Bundles the extension, the language server, the command line and the IQA panel with esbuild.
import { spawnSync } from "node:child_process";
import { globSync, rmSync, writeFileSync } from "node:fs";
import { context } from "esbuild";
import { extensionBuilds } from "./extensionBuild.js";
import { bundledPackages } from "./package/notices.js";
import { copyPanelAssets, panelBuild } from "./panelBuild.js";

const watch = process.argv.includes("--watch");
const production = process.argv.includes("--production");
/** @type {import("esbuild").BuildOptions} */
const shared = {
  bundle: true,
  platform: "node",
  target: "node22",
  sourcemap: true,
  metafile: true,
  logLevel: "warning",
  // Native packages are loaded from node_modules.
  external: ["vscode", "sharp", "onnxruntime-node", "libheif-js", "@jsquash/jxl"],
};
// Some CommonJS dependencies of an ESM bundle still call require.
const banner = {
  js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
};

const builds = [
  {
    ...shared,
    // In pieces: a command loads what it needs. All lie in dist/, from where they find what ships beside it.
    entryPoints: { cli: "src/cli/main.ts" },
    outdir: "dist",
    splitting: true,
    chunkNames: "cli-[name]-[hash]",
    format: /** @type {const} */ ("esm"),
    banner,
  },
  {
    ...shared,
    entryPoints: ["src/server/main.ts"],
    outfile: "dist/server.js",
    format: /** @type {const} */ ("esm"),
    // Some of the YAML service's packages come as UMD, whose requires cannot be bundled, and as ESM.
    mainFields: ["module", "main"],
    // Configs are not reformatted, and prettier would weigh more than all the rest.
    alias: {
      "prettier/standalone": "./src/server/language/noPrettier.ts",
      "prettier/plugins/yaml": "./src/server/language/noPrettier.ts",
      "prettier/plugins/estree": "./src/server/language/noPrettier.ts",
    },
    banner,
  },
  {
    ...shared,
    entryPoints: ["src/engine/scoring/main.ts"],
    outfile: "dist/scorer.js",
    format: /** @type {const} */ ("esm"),
    banner,
  },
  ...extensionBuilds("dist", { production }).map((one) => ({ ...shared, ...one })),
  { ...panelBuild("dist/webview", { minify: production }), metafile: true },
];

copyPanelAssets("dist/webview");
// Pieces of a former build are nobody's.
for (const name of globSync(["dist/cli-*", "dist/webview/*-*.js*"])) rmSync(name);
/** @type {import("esbuild").Metafile[]} */
const made = [];
for (const options of builds) {
  const built = await context(options);
  if (watch) await built.watch();
  else {
    const { metafile } = await built.rebuild();
    if (metafile) made.push(metafile);
    await built.dispose();
  }
}
// What the packaging tells the licences of; the icon font is copied, not bundled.
const packages = [...bundledPackages(made), "node_modules/@vscode/codicons"];
if (!watch) writeFileSync("dist/packages.json", `${JSON.stringify(packages, null, 2)}\n`);
// For `leaf --help` and `leaf completion`, which load no command.
const { stdout, stderr, status } = spawnSync(process.execPath, ["bin/leaf.js", "describe"], {
  encoding: "utf8",
});
if (status !== 0) throw new Error(`\`leaf describe\` failed: ${stderr}`);
writeFileSync("dist/commands.json", stdout);
