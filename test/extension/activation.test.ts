import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { extensionBuilds } from "../../scripts/extensionBuild.js";
import { commandIds } from "../../src/protocol/commands.ts";

interface Told {
  /** To load the bundle and to activate. */
  cpuMs: number;
  children: number;
  registered: {
    commands: string[];
    views: string[];
    hovers: number;
    decorations: number;
    serializers: string[];
    started: number;
  };
}

let folder: string;
let runs: Told[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "leaf-activation-"));
  const outfile = path.join(folder, "extension.cjs");
  for (const options of extensionBuilds(folder, { production: false })) await build(options);
  runs = [];
  for (let run = 0; run < 5; run++) {
    const { stdout } = await promisify(execFile)(process.execPath, [
      path.join(import.meta.dirname, "activate.cjs"),
      outfile,
    ]);
    runs.push(JSON.parse(stdout));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("activation", () => {
  it("takes under 50 ms, loading the bundle and registering everything", () => {
    const times = runs.map(({ cpuMs }) => cpuMs).sort((a, b) => a - b);
    console.log(
      `activation, processor time in five processes: ${times.map((one) => one.toFixed(1)).join(", ")} ms`,
    );
    expect(times[2]).toBeLessThan(50);
  });

  it("reads the server's client when a server is started, not before", async () => {
    const code = await readFile(path.join(folder, "extension.cjs"), "utf8");
    expect(code).toContain('require("./languageClient.cjs")');
    expect(code).not.toContain("LanguageClient = class");
    expect(await readFile(path.join(folder, "languageClient.cjs"), "utf8")).toContain(
      "LanguageClient = class",
    );
  });

  it("starts no server and opens no log where there is no config", () => {
    for (const { children, registered } of runs) {
      expect(children).toBe(0);
      expect(registered.started).toBe(0);
    }
  });

  it("registers every command that package.json offers, and offers every one of the protocol", async () => {
    const { contributes } = JSON.parse(await readFile("package.json", "utf8"));
    const offered = contributes.commands.map(({ command }: { command: string }) => command).sort();
    expect(runs[0]!.registered.commands.toSorted()).toEqual(offered);
    expect(offered).toEqual(expect.arrayContaining(Object.values(commandIds)));
  });

  it("fills every view that package.json names", async () => {
    const { contributes } = JSON.parse(await readFile("package.json", "utf8"));
    const named = contributes.views.leaf.map(({ id }: { id: string }) => id).sort();
    expect(runs[0]!.registered.views.toSorted()).toEqual(named);
    expect(runs[0]!.registered).toMatchObject({ hovers: 1, decorations: 1, serializers: ["leaf.panel"] });
  });
});
