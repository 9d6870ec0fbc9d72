import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import os from "node:os";
import { expect, it, onTestFinished } from "vitest";
import { childEnvironment } from "../../../src/engine/base/environment.ts";
import { limits } from "../../../src/engine/base/limits.ts";
import { type LineChild, startLineChild } from "../../../src/engine/base/lineChild.ts";
import { lowerPriority, runChild, startChild } from "../../../src/engine/base/processes.ts";

const node = process.execPath;
const env = childEnvironment();

function talk(script: string): { child: LineChild; messages: object[]; others: string[] } {
  const [messages, others]: [object[], string[]] = [[], []];
  const child = startLineChild(node, ["-e", script], {
    env,
    parse: (line) => (line.startsWith("{") ? (JSON.parse(line) as object) : undefined),
    onMessage: (message) => messages.push(message),
    onOther: (line) => others.push(line),
  });
  onTestFinished(() => child.stop());
  return { child, messages, others };
}

it("a program that is not there is an exit, not a throw", async () => {
  const { exit } = startChild("leaf-no-such-program", [], { env });
  expect(await exit).toMatchObject({ code: null, error: { code: "ENOENT" } });
});

it("a child gets the environment that it is given, and no shell reads its arguments", async () => {
  const script = "console.log(process.argv[1], process.env.PATH, process.env.SECRET)";
  const { code, stdout } = await runChild(node, ["-e", script, "$HOME; ls"], { env: { PATH: "/nowhere" } });
  expect([code, stdout]).toEqual([0, "$HOME; ls /nowhere undefined\n"]);
});

it("of a child that says much the end is kept", async () => {
  const script =
    'process.stdout.write("a".repeat(5e6) + "\\nend"); process.stderr.write("b".repeat(5e6) + "\\nlast")';
  const { stdout, stderr } = await runChild(node, ["-e", script], { env, kept: 100 });
  expect(stdout).toBe(`${"a".repeat(96)}\nend`);
  expect([stderr.length, stderr.slice(-5)]).toEqual([200_000, "\nlast"]);
});

it.skipIf(process.platform === "win32")(
  "stopping ends what the child started, even where both refuse",
  async () => {
    const deaf = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);';
    const script = `const { spawn } = require("node:child_process");
    ${deaf}
    const worker = spawn(process.execPath, ["-e", ${JSON.stringify(`${deaf} console.log("up")`)}]);
    worker.stdout.once("data", () => console.log(worker.pid));`;
    const abort = new AbortController();
    let worker = 0;
    const running = runChild(node, ["-e", script], {
      env,
      signal: abort.signal,
      onLine(line) {
        worker = Number(line);
        abort.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ code: "cancelled" });
    expect(worker).toBeGreaterThan(0);
    // Its parent is gone too, so that it may stay as a zombie where nobody takes it over.
    const state = () => {
      try {
        return execFileSync("ps", ["-o", "stat=", "-p", String(worker)], { encoding: "utf8" }).trim()[0];
      } catch {
        return "gone";
      }
    };
    await expect.poll(state).toMatch(/^(Z|gone)$/);
  },
);

it("messages go both ways, letters cut in two and other lines among them", async () => {
  const { child, messages, others } = talk(`
    const say = (bytes) => process.stdout.write(bytes);
    process.stdin.once("data", async (data) => {
      const line = Buffer.from("{\\"got\\":" + data.toString().trim() + ",\\"text\\":\\"\\u00e4\\u{1f343}\\"}\\r\\nsome library\\n");
      for (const byte of line) { say(Buffer.of(byte)); await new Promise(setImmediate); }
      say('{"last":true}');
      process.stdin.destroy();
    });`);
  await child.send({ hello: 1 });
  expect(await child.exit).toMatchObject({ code: 0, fault: undefined });
  expect(messages).toEqual([{ got: { hello: 1 }, text: "ä🍃" }, { last: true }]);
  expect(others).toEqual(["some library"]);
  await child.send({ after: "its end" });
});

it("a message without an end ends the child; a library's long line does not", async () => {
  const long = `process.stdout.write("x".repeat(${limits.jsonLine + 1}) + "\\n");`;
  const { child, messages, others } = talk(`${long} console.log('{"ok":1}')`);
  expect(await child.exit).toMatchObject({ code: 0, fault: undefined });
  expect([messages, others]).toEqual([[{ ok: 1 }], []]);
  const endless = talk(`const fill = () => { while (process.stdout.write("{".repeat(65536))); };
    process.stdout.on("drain", fill); fill();`);
  expect(await endless.child.exit).toMatchObject({ fault: "it wrote a line of more than 16 MB" });
  expect(endless.messages).toEqual([]);
});

it("what a child of lower priority starts has that priority too", async () => {
  const told = 'require("node:child_process").execFileSync(process.execPath, ["-p", "os.getPriority()"])';
  const child = spawn(node, ["-e", `process.stdin.once("data", () => process.stdout.write(${told}))`]);
  lowerPriority(child, 5);
  child.stdin.end("go");
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  expect(Number(said)).toBe(Math.max(5, os.getPriority()));
});
