// @ts-nocheck: Node tells its list to nobody else.
// Given to Node by --require: tells at the end which files of packages and which modules of Node's own were loaded.
process.on("exit", () => {
  const builtin = process.moduleLoadList ?? [];
  process.stderr.write(JSON.stringify({ packages: Object.keys(require.cache), builtin }));
});
