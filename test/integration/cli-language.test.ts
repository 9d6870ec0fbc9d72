import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { leaf, makeWorkspace, startLeaf, temporaryFolder } from "./workspace.ts";

const { dir, remove } = temporaryFolder();
const german = (cwd: string, ...args: string[]) =>
  startLeaf(cwd, args, { ...process.env, LEAF_LANGUAGE: "de_DE.UTF-8" }).done;

beforeAll(async () => {
  await makeWorkspace(dir, 12);
  mkdirSync(path.join(dir, "empty"));
  writeFileSync(path.join(dir, "broken.leaf.yaml"), "images: photos\ndistil: {}\n");
});
afterAll(remove);

test("errors and their remedies are printed in the language of LEAF_LANGUAGE", async () => {
  const empty = path.join(dir, "empty");
  const { code, stderr } = await german(empty, "status");
  expect(code).not.toBe(0);
  expect(stderr).toBe(
    "leaf: In diesem Ordner liegt keine leaf.yaml.\n  `leaf init` ausführen oder eine mit --config nennen.\n",
  );
  expect((await leaf(empty, "status")).stderr).toContain("There is no leaf.yaml in this folder.");
  // A language that there is no bundle of, and no name of one.
  for (const LEAF_LANGUAGE of ["xx", "../../de"])
    expect((await startLeaf(empty, ["status"], { ...process.env, LEAF_LANGUAGE }).done).stderr).toContain(
      "There is no leaf.yaml in this folder.",
    );
});

test("status, progress and headlines too", async () => {
  const before = await german(dir, "status");
  expect(before.stdout).toMatch(/^Stufe +Zustand +Grund\n/);
  expect(before.stdout).toMatch(/label +fehlt/);
  const labelled = await german(dir, "label");
  expect(labelled.stderr).toMatch(/label: .*Bilder/);
  const after = await german(dir, "status");
  expect(after.stdout).toMatch(/label +aktuell/);
});

test("help and JSON stay English", async () => {
  const [help, json, failed] = await Promise.all([
    german(dir, "--help"),
    german(dir, "status", "--json"),
    german(dir, "status", "--json", "-c", "broken.leaf.yaml"),
  ]);
  expect(help.stdout.replace(/\s+/g, " ")).toContain(
    "show which stages are fresh, stale or missing, and why",
  );
  expect(json.stdout).toBe((await leaf(dir, "status", "--json")).stdout);
  expect(failed.stdout).toBe((await leaf(dir, "status", "--json", "-c", "broken.leaf.yaml")).stdout);
  expect(JSON.parse(failed.stdout).error.message).toMatch(/ /);
  expect(failed.stderr).not.toContain(JSON.parse(failed.stdout).error.message);
});
