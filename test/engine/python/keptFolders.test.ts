import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { trainerEnvironment } from "../../../src/engine/python/environment.ts";

afterEach(() => vi.unstubAllEnvs());

test.each([
  ["LEAF_GRAPHS", "graphs"],
  ["LEAF_TRIALS", "trials"],
  ["LEAF_WEIGHTS", "weights"],
])("what %s names is kept in LEAF's own folder where there is one; none is made for it", (name, folder) => {
  const home = mkdtempSync(path.join(tmpdir(), "leaf-kept-"));
  vi.stubEnv(name, undefined);
  vi.stubEnv("LEAF_HOME", home);
  expect(trainerEnvironment()[name]).toBe(path.join(home, folder));
  expect(readdirSync(home)).toEqual([]);
  rmSync(home, { recursive: true });
  expect(trainerEnvironment()[name]).toBeUndefined();
  vi.stubEnv(name, "/else/where");
  expect(trainerEnvironment()[name]).toBe("/else/where");
});
