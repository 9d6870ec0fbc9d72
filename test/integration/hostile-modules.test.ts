import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { trainerEnvironment } from "../../src/engine/python/environment.ts";
import { leaf, temporaryFolder } from "./workspace.ts";

// A folder with modules named like those that LEAF's Python imports.
const { dir, remove } = temporaryFolder();
afterAll(remove);
const mark = path.join(dir, "RAN");
for (const name of ["leaf", "torch", "json", "numpy"]) {
  mkdirSync(path.join(dir, name));
  writeFileSync(
    path.join(dir, name, "__init__.py"),
    `open(${JSON.stringify(mark)}, "a").write("${name} ")\n`,
  );
}

test("a command that is given in a stranger's folder imports nothing from it", async () => {
  const { code, stderr } = await leaf(dir, "env", "--check");
  expect(code, stderr).toBe(0);
  expect(existsSync(mark)).toBe(false);
});

test("nor does a Python that starts in it, as a training does in its own folder", () => {
  const python = process.env.LEAF_PYTHON ?? "python3";
  const options = { cwd: dir, env: trainerEnvironment() };
  execFileSync(python, ["-m", "json.tool", "--help"], options);
  execFileSync(python, ["-c", "import json, numpy, leaf"], options);
  expect(existsSync(mark)).toBe(false);
});
