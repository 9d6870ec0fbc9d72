import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  beginningInStat,
  identityOf,
  isIdentity,
  isSame,
  ownIdentity,
  signalProcess,
  stillRuns,
} from "../../../src/engine/base/processIdentity.ts";
import { bystander, isThere, nodeChild } from "../../support/nodeChild.ts";

describe("the beginning of a process in /proc/<pid>/stat", () => {
  // Fields from the third on, as proc_pid_stat(5) numbers them.
  const line = (pid: number, name: string, state: string, began: string, rest: number[]) =>
    `${pid} (${name}) ${[state, ...rest.slice(0, 18), began, ...rest.slice(18)].join(" ")}\n`;
  const numbers = fc.array(fc.integer(), { minLength: 48, maxLength: 60 });
  const began = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);

  it("is found whatever the program is called", () => {
    const name = fc.oneof(
      fc.string({ maxLength: 15 }),
      fc
        .array(fc.constantFrom(")", "(", " ", "\n", ") S 1 2", "(a) R 1"), { maxLength: 6 })
        .map((all) => all.join("")),
    );
    fc.assert(
      fc.property(
        fc.nat(),
        name,
        fc.constantFrom("R", "S", "D", "T", "t", "I"),
        began,
        numbers,
        (...parts) => {
          expect(beginningInStat(line(...parts))).toBe(parts[3]);
        },
      ),
    );
  });

  it("is none of a zombie, and none of what is no such line", () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.constantFrom("Z", "X"), began, numbers, (...parts) => {
        expect(beginningInStat(line(...parts))).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(beginningInStat(text) ?? "0").toMatch(/^\d+$/);
      }),
    );
  });

  test.runIf(process.platform === "linux")("is that of this process", () => {
    const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
    // 100 ticks a second, on every Linux that Node runs on.
    const began = Number(beginningInStat(readFileSync("/proc/self/stat", "utf8"))) / 100;
    expect(uptime - began).toBeGreaterThanOrEqual(process.uptime() - 1);
    expect(uptime - began).toBeLessThan(process.uptime() + 30);
  });
});

test("a process is itself and no other, for as long as it is there", async () => {
  const [one, two] = [bystander(), bystander()];
  await Promise.all([one.line(), two.line()]);
  const [first, again, other] = [
    await identityOf(one.pid),
    await identityOf(one.pid),
    await identityOf(two.pid),
  ];
  expect(isIdentity(first)).toBe(true);
  expect(isSame(first!, again!)).toBe(true);
  expect(isSame(first!, other!)).toBe(false);
  expect(isSame(first!, (await ownIdentity())!)).toBe(false);
  expect(await stillRuns(first!)).toBe(true);
  await one.kill();
  expect(await identityOf(one.pid)).toBeUndefined();
  expect(await stillRuns(first!)).toBe(false);
});

test("a signal reaches the process that is meant, and none that got its id", async () => {
  const one = bystander();
  await one.line();
  const identity = (await identityOf(one.pid))!;
  for (const other of [
    { ...identity, began: `${identity.began}0` },
    // The same id in another container, on another machine, before a restart.
    { ...identity, space: `${identity.space}0` },
  ])
    for (const whom of ["process", "group"] as const)
      expect(await signalProcess(other, "SIGKILL", whom)).toBe(false);
  expect(isThere(one)).toBe(true);
  expect(await signalProcess(identity, "SIGTERM", "group")).toBe(true);
  await one.ended;
  expect(one.child.signalCode).toBe("SIGTERM");
  expect(await signalProcess(identity, "SIGTERM", "group")).toBe(false);
});

test("the name of the machine may change, and who asks may not be signalled", async () => {
  const own = (await ownIdentity())!;
  expect(await stillRuns({ ...own, host: "renamed" })).toBe(true);
  expect(await signalProcess(own, "SIGKILL", "group")).toBe(false);
});

test("the same process is the same for one who asks in another language and time zone", async () => {
  const asker = nodeChild(`
    process.env.TZ = "Asia/Tokyo"; process.env.LC_ALL = "de_DE.UTF-8";
    const { identityOf } = await import(engine + "/base/processIdentity.ts");
    console.log(JSON.stringify(await identityOf(${process.pid})));`);
  expect(JSON.parse(await asker.line())).toEqual(await ownIdentity());
});

test("nothing that a former version or a stranger wrote is an identity", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(isIdentity(value)).toBe(false);
    }),
  );
  for (const value of [
    4711,
    "4711",
    "boot 4711",
    { pid: 4711 },
    { pid: 4711, began: "1", space: "", host: "h" },
  ])
    expect(isIdentity(value)).toBe(false);
});
