// @ts-nocheck: reaches into Node's module loader.
// Loads a bundle as the extension host does, in a process of its own, and prints how long it took and what it registered.
const Module = require("node:module");
const path = require("node:path");
const fake = path.join(__dirname, "fakeVscode.cjs");
const resolve = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) =>
  request === "vscode" ? fake : resolve.call(Module, request, ...rest);
require(fake);

const context = {
  subscriptions: [],
  asAbsolutePath: (name) => name,
  extensionUri: {},
  secrets: { get: async () => undefined, onDidChange: () => ({ dispose() {} }) },
  workspaceState: { get: (_, fallback) => fallback, update: async () => {} },
  globalState: { get: () => undefined, update: async () => {} },
};
// Processor time, not the clock: what other processes of the machine do is not the extension's.
const began = process.cpuUsage();
const extension = require(process.argv[2]);
extension.activate(context);
const { user, system } = process.cpuUsage(began);
setTimeout(() => {
  process.stdout.write(
    JSON.stringify({
      cpuMs: (user + system) / 1000,
      children: process.getActiveResourcesInfo().filter((one) => one.includes("Process")).length,
      registered: require("vscode").registered,
    }),
  );
}, 100);
