// The extension and, in a file of its own, the client of its server: activation does not wait for that to be read.
const client = "./languageClient.cjs";

/**
 * @param {string} folder
 * @returns {import("esbuild").BuildOptions[]}
 */
export function extensionBuilds(folder) {
  /** @type {import("esbuild").BuildOptions} */
  const shared = { bundle: true, platform: "node", target: "node22", format: "cjs" };
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
