import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isProcessLocked, tryProcessLock } from "../../../src/engine/base/processLock.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "leaf-lock-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Another process that tries to take a lock, tells whether it has it, and stays until it is killed. */
async function contender(file: string) {
  const module = path.resolve("src/engine/base/processLock.ts");
  const script = `const { tryProcessLock } = await import(${JSON.stringify(module)});
    const lock = tryProcessLock(${JSON.stringify(file)}); console.log(lock !== undefined); setInterval(() => lock, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return {
    has: line === "true",
    kill: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

test("one process at a time has a lock, and its death gives it back", async () => {
  const file = path.join(dir, "deep", "a.lock");
  expect(isProcessLocked(file)).toBe(false);
  const all = await Promise.all(Array.from({ length: 4 }, () => contender(file)));
  expect(all.filter((one) => one.has)).toHaveLength(1);
  expect(isProcessLocked(file)).toBe(true);
  expect(tryProcessLock(file)).toBeUndefined();
  for (const one of all.filter((one) => !one.has)) await one.kill();
  expect(isProcessLocked(file)).toBe(true);
  await all.find((one) => one.has)!.kill();
  expect(isProcessLocked(file)).toBe(false);
  const lock = tryProcessLock(file);
  expect(lock).toBeDefined();
  const late = await contender(file);
  expect(late.has).toBe(false);
  await late.kill();
  lock!.release();
  expect(isProcessLocked(file)).toBe(false);
});

test("a folder in its place is an error, not a lock", () => {
  expect(() => tryProcessLock(dir)).toThrow(/unable to open/);
});

function hasCompiler(): boolean {
  try {
    execFileSync("cc", ["--version"], { stdio: "ignore" });
    return process.platform === "linux";
  } catch {
    return false;
  }
}

// Skipped where no C compiler is there to make such a file system.
test.runIf(hasCompiler())("a file system that cannot lock is told as such, and nothing is left there", () => {
  const library = path.join(dir, "noLocks.so");
  execFileSync("cc", ["-shared", "-fPIC", "-o", library, path.resolve("test/support/noLocks.c"), "-ldl"]);
  const file = path.join(dir, "locks", "a.lock");
  const script = `const { waitForLock, isProcessLocked } = await import(${JSON.stringify(path.resolve("src/engine/base/processLock.ts"))});
    const error = await waitForLock(${JSON.stringify(file)}).catch((error) => error);
    console.log(JSON.stringify([error.code, error.message, isProcessLocked(${JSON.stringify(file)})]));`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, LD_PRELOAD: library },
  });
  expect(JSON.parse(said.toString())).toEqual([
    "environment",
    `The file system of ${path.dirname(file)} cannot lock files.`,
    false,
  ]);
  expect(readdirSync(path.dirname(file))).toEqual([]);
});
