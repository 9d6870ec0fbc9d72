import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { trainerEnvironment } from "../../../src/engine/python/environment.ts";

const home = mkdtempSync(path.join(tmpdir(), "leaf-graphs-"));
afterEach(() => vi.unstubAllEnvs());

test("exported graphs are kept in LEAF's own folder where there is one; none is made for them", () => {
  vi.stubEnv("LEAF_GRAPHS", undefined);
  vi.stubEnv("LEAF_HOME", home);
  expect(trainerEnvironment().LEAF_GRAPHS).toBe(path.join(home, "graphs"));
  expect(readdirSync(home)).toEqual([]);
  rmSync(home, { recursive: true });
  expect(trainerEnvironment().LEAF_GRAPHS).toBeUndefined();
  vi.stubEnv("LEAF_GRAPHS", "/else/where");
  expect(trainerEnvironment().LEAF_GRAPHS).toBe("/else/where");
});
