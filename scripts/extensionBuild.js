// The extension and, in a file of its own, the client of its server: activation does not wait for that to be read.
const client = "./languageClient.cjs";

/**
 * @param {string} folder
 * @param {{ production: boolean }} options names stay as they are, for what users report of errors
 * @returns {import("esbuild").BuildOptions[]}
 */
export function extensionBuilds(folder, { production }) {
  /** @type {import("esbuild").BuildOptions} */
  const shared = {
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    minifyWhitespace: production,
    minifySyntax: production,
  };
  return [
    {
      ...shared,
      entryPoints: ["src/extension/activate.ts"],
      outfile: `${folder}/extension.cjs`,
      alias: { "vscode-languageclient/node": client },
      external: ["vscode", client],
      // Kept as require: import() would see no names in CommonJS.
      supported: { "dynamic-import": false },
    },
    {
      ...shared,
      entryPoints: ["vscode-languageclient/node"],
      outfile: `${folder}/languageClient.cjs`,
      external: ["vscode"],
    },
  ];
}
