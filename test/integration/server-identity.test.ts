import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { identityOf, ownIdentity } from "../../src/engine/base/processIdentity.ts";
import { enter, usersOf } from "../../src/engine/teachers/serve/files.ts";
import { listServers, stopServers } from "../../src/engine/teachers/serve/list.ts";
import { endOrphan } from "../../src/engine/teachers/serve/orphan.ts";
import type { ServerSpec } from "../../src/engine/teachers/serve/spec.ts";
import type { ServerState } from "../../src/protocol/servers.ts";
import { bystander, isThere, nodeChild } from "../support/nodeChild.ts";
import { temporaryFolder } from "./workspace.ts";

// What lies in `.leaf/servers` after a crash, from a former version, from another container or from a stranger.

function servers(): { all: string; dir: string } {
  const { dir: root, remove } = temporaryFolder();
  onTestFinished(remove);
  const all = path.join(root, ".leaf", "servers");
  const dir = path.join(all, "abc");
  mkdirSync(dir, { recursive: true });
  return { all, dir };
}

function state(over: Partial<Record<keyof ServerState, unknown>>): ServerState {
  return {
    v: 1,
    key: "abc",
    attempt: "no-such-attempt",
    phase: "ready",
    model: "m",
    program: "vllm",
    endpoint: "http://127.0.0.1:9/v1",
    port: 9,
    pid: null,
    identity: null,
    supervisor: 4_000_000,
    supervisorIdentity: null,
    started: "2026-11-27T00:00:00.000Z",
    ready: null,
    idleSince: null,
    idleMinutes: 5,
    restarts: 0,
    note: null,
    failure: null,
    ...over,
  } as ServerState;
}

const put = (dir: string, one: ServerState) =>
  writeFileSync(path.join(dir, "server.json"), JSON.stringify(one));

async function held(file: string) {
  const holder = nodeChild(
    `const { tryProcessLock } = await import(engine + "/base/processLock.ts");
    globalThis.lock = tryProcessLock(${JSON.stringify(file)}); console.log("held"); setInterval(() => {}, 1000);`,
  );
  await holder.line();
  return holder;
}

test("stopping a server whose lock somebody holds ends nobody who merely has the id of its supervisor", async () => {
  const { all, dir } = servers();
  const other = bystander();
  await other.line();
  const identity = (await identityOf(other.pid))!;
  const holder = await held(path.join(dir, "supervisor.lock"));
  for (const supervisorIdentity of [
    null,
    "boot 1234",
    { ...identity, began: "1" },
    { ...identity, space: "other" },
  ]) {
    put(dir, state({ supervisor: other.pid, supervisorIdentity, pid: other.pid, identity: "boot 1234" }));
    await expect(stopServers(all, "all", 200)).rejects.toMatchObject({
      code: "failed",
      message: "The server of m does not stop, and cannot be ended from here.",
    });
  }
  expect([isThere(other), isThere(holder)]).toEqual([true, true]);
});

test("a supervisor that does not answer is ended, and only it", async () => {
  const { all, dir } = servers();
  const other = bystander();
  await other.line();
  const holder = await held(path.join(dir, "supervisor.lock"));
  put(dir, state({ supervisor: holder.pid, supervisorIdentity: await identityOf(holder.pid) }));
  expect(await stopServers(all, "all", 200)).toEqual({ stopped: ["abc"] });
  await holder.ended;
  expect(isThere(other)).toBe(true);
});

test("what a killed supervisor left is ended by its identity, and told as stopped", async () => {
  const { all, dir } = servers();
  const [left, other] = [bystander(), bystander()];
  await Promise.all([left.line(), other.line()]);
  writeFileSync(path.join(dir, "supervisor.lock"), "");
  const identity = (await identityOf(left.pid))!;
  expect(
    await endOrphan(state({ pid: other.pid, identity: { ...identity, pid: other.pid, began: "1" } })),
  ).toBe(false);
  expect(await endOrphan(state({ pid: other.pid, identity: "a former version's" }))).toBe(false);
  put(dir, state({ pid: left.pid, identity }));
  expect(await listServers(all)).toMatchObject([{ key: "abc", phase: "stopped", pid: null }]);
  await left.ended;
  expect(isThere(other)).toBe(true);
});

const spec = { startMinutes: 1, idleMinutes: 2 } as ServerSpec;

test("a run uses its server as long as it lives, also while it is stopped, and no longer", async () => {
  const { dir } = servers();
  const user = nodeChild(
    `const { enter } = await import(engine + "/teachers/serve/files.ts");
    await enter(${JSON.stringify(dir)}, ${JSON.stringify(spec)});
    console.log("in use"); setInterval(() => {}, 1000);`,
  );
  await user.line();
  process.kill(user.pid, "SIGSTOP");
  const users = async () => [...(await usersOf(dir)).values()];
  expect(await users()).toEqual([{ pid: user.pid, ...spec }]);
  const own = await enter(dir, spec);
  expect(await users()).toHaveLength(2);
  await user.kill();
  expect(await users()).toEqual([{ pid: process.pid, ...spec }]);
  await own.leave();
  expect(await users()).toEqual([]);
});

test("a user that a former version wrote counts only by a lock, however new its heartbeat", async () => {
  const { dir } = servers();
  const file = path.join(dir, "users", `${process.pid}-00000000.json`);
  mkdirSync(path.dirname(file));
  writeFileSync(
    file,
    JSON.stringify({ pid: process.pid, at: Date.now() + 1e9, startMinutes: 1, idleMinutes: 2 }),
  );
  expect((await usersOf(dir)).size).toBe(0);
  expect(existsSync(file)).toBe(false);
});

test("the identity of this process is what its files say", async () => {
  const { dir } = servers();
  const { holdLock } = await import("../../src/engine/base/lockHolder.ts");
  const lock = await holdLock(path.join(dir, "a.lock"));
  expect(JSON.parse(readFileSync(path.join(dir, "a.lock.json"), "utf8")).process).toEqual(
    await ownIdentity(),
  );
  lock!.release();
  expect(existsSync(path.join(dir, "a.lock.json"))).toBe(false);
});
