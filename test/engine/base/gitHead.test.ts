import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { gitHead } from "../../../src/engine/base/gitHead.ts";

const dir = mkdtempSync(path.join(tmpdir(), "leaf-git-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const git = (cwd: string, ...args: string[]) =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", ...args], {
    cwd,
    encoding: "utf8",
  }).trim();

test("the commit is what git says: on a branch, packed, detached, in a worktree and below", async () => {
  const main = path.join(dir, "main");
  mkdirSync(path.join(main, "a", "b"), { recursive: true });
  git(main, "init", "-q");
  expect(await gitHead(main)).toBeNull();
  git(main, "commit", "-q", "--allow-empty", "-m", "one");
  const head = git(main, "rev-parse", "HEAD");
  expect(await gitHead(path.join(main, "a", "b"))).toBe(head);
  git(main, "pack-refs", "--all");
  expect(await gitHead(main)).toBe(head);
  git(main, "worktree", "add", "-q", "-b", "other", path.join(dir, "tree"));
  git(path.join(dir, "tree"), "commit", "-q", "--allow-empty", "-m", "two");
  expect(await gitHead(path.join(dir, "tree"))).toBe(git(path.join(dir, "tree"), "rev-parse", "HEAD"));
  git(main, "checkout", "-q", "--detach");
  expect(await gitHead(main)).toBe(head);
});

test("nothing that the folder names is run or followed", async () => {
  const hostile = path.join(dir, "hostile");
  mkdirSync(hostile);
  git(hostile, "init", "-q");
  git(hostile, "commit", "-q", "--allow-empty", "-m", "one");
  const script = path.join(hostile, "run.sh");
  writeFileSync(script, `#!/bin/sh\ntouch "${hostile}/RAN"\n`);
  chmodSync(script, 0o755);
  git(hostile, "config", "core.fsmonitor", script);
  expect(await gitHead(hostile)).toMatch(/^[0-9a-f]{40}$/);
  expect(existsSync(path.join(hostile, "RAN"))).toBe(false);
  for (const head of ["ref: refs/../../../../etc/passwd", "ref: /etc/passwd", "x".repeat(1000), ""]) {
    writeFileSync(path.join(hostile, ".git", "HEAD"), head);
    expect(await gitHead(hostile)).toBeNull();
  }
});
