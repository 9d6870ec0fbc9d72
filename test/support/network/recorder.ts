import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const source = path.join(import.meta.dirname, "recorder.c");

/** Why a process' network cannot be recorded here; undefined where it can. */
export function whyNoRecorder(): string | undefined {
  if (process.platform !== "linux") return "LD_PRELOAD is Linux's";
  return spawnSync("gcc", ["--version"]).status === 0 ? undefined : "there is no gcc";
}

/** Compiles the recorder into a folder and returns its path. */
export function compileRecorder(folder: string): string {
  const library = path.join(folder, "recorder.so");
  const { status, stderr } = spawnSync(
    "gcc",
    ["-Wall", "-Werror", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"],
    {
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(stderr);
  return library;
}

/** Whom a process and its children asked for, a line each. */
export function askedFor(log: string): string[] {
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : [];
}

/** Files below a folder. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}
