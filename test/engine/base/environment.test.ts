import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { childEnvironment, noTelemetry } from "../../../src/engine/base/environment.ts";
import { startServer } from "../../../src/engine/teachers/serve/child.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "leaf-environment-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("nothing that a caller adds turns a report on; all else is as the caller says", () => {
  const name = fc.oneof(fc.constantFrom(...Object.keys(noTelemetry)), fc.stringMatching(/^[A-Z]{1,8}$/));
  const value = fc.option(fc.string(), { nil: undefined });
  fc.assert(
    fc.property(fc.dictionary(name, value), (added) => {
      const made = childEnvironment(added);
      expect(made).toMatchObject(noTelemetry);
      for (const [key, wanted] of Object.entries(added))
        if (!(key in noTelemetry)) expect(made[key]).toBe(wanted);
    }),
  );
});

test("a teacher's server that the config tells to report does not", async () => {
  const logFile = path.join(dir, "server.log");
  const names = [
    "VLLM_NO_USAGE_STATS",
    "DO_NOT_TRACK",
    "RAY_USAGE_STATS_ENABLED",
    "ELECTRON_RUN_AS_NODE",
    "OWN",
  ];
  const script = `console.log(${JSON.stringify(names)}.map((name) => name + "=" + process.env[name]).join("\\n"))`;
  const lines: string[] = [];
  const server = startServer(
    {
      key: "k",
      model: "m",
      command: [process.execPath, "-e", script],
      cwd: dir,
      port: null,
      env: { VLLM_NO_USAGE_STATS: "0", DO_NOT_TRACK: "0", RAY_USAGE_STATS_ENABLED: "1", OWN: "kept" },
      startMinutes: 1,
      idleMinutes: 1,
    },
    { port: 1, mark: "mark", logFile, onLine: (line) => lines.push(line) },
  );
  await expect.poll(() => server.exit).toBeDefined();
  expect(readFileSync(logFile, "utf8").trim().split("\n")).toEqual([
    "VLLM_NO_USAGE_STATS=1",
    "DO_NOT_TRACK=1",
    "RAY_USAGE_STATS_ENABLED=0",
    "ELECTRON_RUN_AS_NODE=undefined",
    "OWN=kept",
  ]);
});
