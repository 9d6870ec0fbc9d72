import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { makeWorkspace, temporaryFolder } from "../integration/workspace.ts";
import { conditions, startServer } from "./startServer.ts";

// What a config names may be deleted, written again and replaced while the editor is open; the tests build on each other.
const { dir, remove } = temporaryFolder();
const { until, look } = conditions();
let stop: () => Promise<void>;
let project: ProjectSnapshot | undefined;
let changes = 0;
const at = (file: string) => path.join(dir, file);
let all: string[];
const withRows = (n: number) => `${all.slice(0, n + 1).join("\n")}\n`;
const rated = (n: number) => until(() => project?.mos?.rated === n && project.invalid === null);

beforeAll(async () => {
  await makeWorkspace(dir, 12);
  all = readFileSync(at("mos.csv"), "utf8").trim().split("\n");
  ({ stop } = await startServer(dir, (one) => {
    one.onNotification("leaf/changed", (told: { projects: ProjectSnapshot[] }) => {
      [project] = told.projects;
      changes++;
      look();
    });
  }));
  await rated(12);
});
afterAll(async () => {
  await stop();
  remove();
});

test("each git checkout is followed", { timeout: 60_000 }, async () => {
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd: dir, stdio: "pipe" });
  git("init", "-q", "-b", "all");
  git("add", "leaf.yaml", "mos.csv");
  git("commit", "-qm", "all");
  git("checkout", "-qb", "few");
  writeFileSync(at("mos.csv"), withRows(6));
  git("commit", "-qam", "few");
  await rated(6);
  for (const [branch, n] of [
    ["all", 12],
    ["few", 6],
    ["all", 12],
    ["few", 6],
    ["all", 12],
  ] as const) {
    git("checkout", "-q", branch);
    await rated(n);
  }
});

test("a file that goes is told, and one that comes back is read", { timeout: 60_000 }, async () => {
  for (const [pause, n] of [
    [300, 9],
    [1000, 7],
    [2000, 12],
  ] as const) {
    rmSync(at("mos.csv"));
    await setTimeout(pause);
    writeFileSync(at("mos.csv"), withRows(n));
    await rated(n);
  }
  rmSync(at("mos.csv"));
  await until(() => project?.invalid?.includes("does not exist") ?? false);
  mkdirSync(at("elsewhere"));
  writeFileSync(at("elsewhere/mos.csv"), withRows(8));
  symlinkSync("elsewhere/mos.csv", at("mos.csv"));
  await rated(8);
  writeFileSync(at("elsewhere/mos.csv"), withRows(11));
  await rated(11);
  writeFileSync(at("other.csv"), withRows(5));
  symlinkSync("other.csv", at("new"));
  renameSync(at("new"), at("mos.csv"));
  await rated(5);
});

test("the config itself may go and come back, without a word from the editor", {
  timeout: 60_000,
}, async () => {
  const text = readFileSync(at("leaf.yaml"), "utf8");
  rmSync(at("leaf.yaml"));
  await until(() => project?.invalid?.includes("does not exist") ?? false);
  await setTimeout(500);
  writeFileSync(at("leaf.yaml"), "images: [\n");
  await until(() => project?.invalid?.startsWith("leaf.yaml:") ?? false);
  writeFileSync(at("leaf.yaml"), text);
  await rated(5);
});

test("a change of an experiment beside it is told", { timeout: 30_000 }, async () => {
  await setTimeout(600);
  for (const content of ["base: leaf.yaml\nseeds: [0]\n", "base: leaf.yaml\nseeds: [0, 1]\n"]) {
    const before = changes;
    writeFileSync(at("a.experiment.yaml"), content);
    await until(() => changes > before);
  }
  expect(project?.mos?.rated).toBe(5);
});
