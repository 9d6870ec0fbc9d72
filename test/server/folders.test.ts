import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MessageConnection } from "vscode-languageserver/node";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { uriOf } from "../../src/server/uris.ts";
import { config, makeWorkspace, temporaryFolder } from "../integration/workspace.ts";
import { conditions, startServer } from "./startServer.ts";

// Several folders in a window, several configs in a folder; the tests build on each other.
const { dir, remove } = temporaryFolder();
const { until, look } = conditions();
const [first, second] = [path.join(dir, "first"), path.join(dir, "second")];
let connection: MessageConnection;
let stop: () => Promise<void>;
let projects: ProjectSnapshot[] = [];
const names = () => projects.map(({ name }) => name);

beforeAll(async () => {
  await makeWorkspace(first, 6);
  writeFileSync(path.join(first, "other.leaf.yaml"), config("", { ratio: 0.9 }));
  mkdirSync(path.join(first, "node_modules", "pkg"), { recursive: true });
  writeFileSync(path.join(first, "node_modules", "pkg", "leaf.yaml"), config());
  await makeWorkspace(path.join(second, "renders"), 5);
  ({ connection, stop } = await startServer(first, (one) => {
    one.onNotification("leaf/changed", (told: { projects: ProjectSnapshot[] }) => {
      projects = told.projects;
      look();
    });
  }));
});
afterAll(async () => {
  await stop();
  remove();
});

test("finds every config of a folder, but none of its packages", async () => {
  await until(() => projects.length === 2 && projects.every(({ images }) => images?.usable === 6));
  expect(names()).toEqual(["leaf.yaml", "other.leaf.yaml"]);
});

test("a folder that comes brings its projects, and one that goes takes them along", async () => {
  const folder = { uri: uriOf(second), name: "second" };
  await connection.sendNotification("workspace/didChangeWorkspaceFolders", {
    event: { added: [folder], removed: [] },
  });
  await until(() => projects.some(({ images }) => images?.usable === 5));
  expect(names()).toContain("second/renders/leaf.yaml");
  await connection.sendNotification("workspace/didChangeWorkspaceFolders", {
    event: { added: [], removed: [folder] },
  });
  await until(() => projects.length === 2);
});

test("a config that is made or deleted is a project that comes or goes", async () => {
  const file = path.join(first, "third.leaf.yaml");
  writeFileSync(file, config());
  const told = (type: 1 | 3) =>
    connection.sendNotification("workspace/didChangeWatchedFiles", { changes: [{ uri: uriOf(file), type }] });
  await told(1);
  await until(() => projects.find(({ name }) => name === "third.leaf.yaml")?.images?.usable === 6);
  rmSync(file);
  await told(3);
  await until(() => projects.length === 2);
});

test("projects of one folder follow its images together", async () => {
  const file = path.join(first, "photos", "coffee_000.png");
  renameSync(file, path.join(first, "away.png"));
  await until(() => projects.every(({ images }) => images?.usable === 5));
  renameSync(path.join(first, "away.png"), file);
  await until(() => projects.every(({ images }) => images?.usable === 6));
});
