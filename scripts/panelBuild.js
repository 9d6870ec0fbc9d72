// How the IQA panel's page is bundled: for the extension by build.js, for its tests by test/webview.
import { copyFileSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");

/** The icon font of the editor, which panel.css loads from its own folder. */
export const panelAssets = [path.join(root, "node_modules/@vscode/codicons/dist/codicon.ttf")];

/**
 * Gives panel.js with its later parts, and panel.css.
 * @param {string} outdir
 * @param {{ minify: boolean }} options
 * @returns {import("esbuild").BuildOptions}
 */
export function panelBuild(outdir, { minify }) {
  return {
    entryPoints: { panel: path.join(root, "webview/main.ts") },
    outdir,
    bundle: true,
    // What is loaded later lies beside it.
    splitting: true,
    chunkNames: "[name]-[hash]",
    platform: "browser",
    format: "esm",
    target: "chrome130",
    minify,
    sourcemap: "external",
    logLevel: "warning",
    external: ["./codicon.ttf"],
    plugins: [knownFocusVisible],
  };
}

/**
 * The toolkit's foundation finds out whether the browser knows :focus-visible by a style element, which the page's content security
 * policy refuses; then it takes the answer to be no. Every supported editor's browser does know it.
 * @type {import("esbuild").Plugin}
 */
const knownFocusVisible = {
  name: "known-focus-visible",
  setup(build) {
    build.onLoad({ filter: /fast-web-utilities[\\/]dist[\\/]dom\.js$/ }, async (file) => {
      const source = await readFile(file.path, "utf8");
      const contents = source.replace("let _canUseFocusVisible;", "let _canUseFocusVisible = true;");
      if (contents === source) throw new Error(`${file.path} has changed: see knownFocusVisible.`);
      return { contents };
    });
  },
};

/** @param {string} outdir */
export function copyPanelAssets(outdir) {
  mkdirSync(outdir, { recursive: true });
  for (const file of panelAssets) copyFileSync(file, path.join(outdir, path.basename(file)));
}
