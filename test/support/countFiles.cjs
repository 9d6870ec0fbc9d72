// @ts-nocheck: it patches what the types say cannot be.
// Preloaded (`node --require`): notes in LEAF_COUNTS each file that is looked at, read or opened as a database, a line each.
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");
const sqlite = require("node:sqlite");

const append = fs.appendFileSync;
const note = (what, file) => append(process.env.LEAF_COUNTS, `${what}\t${String(file)}\n`);
const counted = (holder, name, what) => {
  const original = holder[name];
  holder[name] = function (file, ...rest) {
    note(what, file);
    return original.call(this, file, ...rest);
  };
};
for (const name of ["stat", "lstat"]) {
  counted(fs.promises, name, "stat");
  counted(fs, `${name}Sync`, "stat");
}
counted(fs.promises, "readFile", "read");
counted(fs.promises, "open", "read");
counted(fs, "readFileSync", "read");
counted(fs, "createReadStream", "read");
sqlite.DatabaseSync = class extends sqlite.DatabaseSync {
  constructor(file, options) {
    note("database", file);
    super(file, options);
  }
};
syncBuiltinESMExports();
