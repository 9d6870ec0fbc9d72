import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { makeWorkspace, temporaryFolder } from "./workspace.ts";

// The built command line, real servers on this machine that tell all they know, and random secrets wherever one can be put.
const folder = temporaryFolder();
afterAll(() => folder.remove());
const echo = path.resolve("test/support/echoServer.mjs");

let projects = 0;
async function project(teacher: string): Promise<string> {
  const dir = path.join(folder.dir, `project-${++projects}`);
  mkdirSync(dir);
  await makeWorkspace(dir, 4, `teacher:\n${teacher.replace(/^/gm, "  ")}\n`);
  const config = path.join(dir, "leaf.yaml");
  writeFileSync(config, readFileSync(config, "utf8").replace("label: {", "label: { reasons: true,"));
  return dir;
}

/** All that a command said. */
function leaf(
  dir: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [path.resolve("bin/leaf.js"), ...args], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LEAF_HOME: path.join(folder.dir, "home"), LEAF_ALLOW_PROGRAMS: "1", ...env },
  });
  let said = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (said += text));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, said })));
}

/** Files below .leaf, by name, that hold one of the words in any spelling; also names that do. */
function holding(dir: string, words: string[]): string[] {
  const root = path.join(dir, ".leaf");
  const spellings = words.flatMap((word) => [
    word,
    JSON.stringify(word).slice(1, -1),
    encodeURIComponent(word),
  ]);
  return readdirSync(root, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    const bytes = entry.isFile() ? readFileSync(file) : Buffer.alloc(0);
    return spellings.some((one) => entry.name.includes(one) || bytes.includes(one)) ? [file] : [];
  });
}

const secret = fc.stringMatching(/^[A-Za-z0-9+/=_.~!@#$%^&*-]{9,40}$/).filter((one) => !/^\d+$/.test(one));
const samples = fc.sample(fc.tuple(secret, secret, secret), { numRuns: 2, seed: 11 });
const modes = ["refuse", "answer"] as const;

test.each(samples.map((sample, i) => [modes[i]!, ...sample] as const))(
  "keys reach the server that is meant, and no file, message or log: it %ss",
  async (mode, key, inEnvironment, inArgument) => {
    const dir = await project(
      `kind: openai
keyEnv: LEAF_SOME_KEY
serve:
  model: m
  command: [${process.execPath}, ${echo}, "{port}", ${mode}, --api-key, "{env:SOME_API_KEY}"]
  env: { VLLM_API_KEY: "{env:OTHER_API_KEY}" }
  idleMinutes: 0.02`,
    );
    const env = {
      LEAF_SOME_KEY: key,
      OTHER_API_KEY: inEnvironment,
      SOME_API_KEY: inArgument,
      LEAF_TEACHER_KEY: `${key}-2`,
    };
    const told = [];
    for (const args of [
      ["label", "--json"],
      ["label", "--dry-run", "2", "--verbose"],
      ["servers", "--json"],
      ["servers", "stop", "all"],
    ])
      told.push(await leaf(dir, args, env));
    const said = told.map((one) => one.said).join("\n");
    expect(told[0]!.code, said).toBe(mode === "refuse" ? 1 : 0);
    if (mode === "refuse") expect(said).toContain("wrong key: Bearer … … --api-key,…");
    const secrets = [key, inEnvironment, inArgument];
    expect(secrets.filter((one) => said.includes(one))).toEqual([]);
    expect(holding(dir, secrets)).toEqual([]);
    const [server] = readdirSync(path.join(dir, ".leaf", "servers"));
    expect(readFileSync(path.join(dir, ".leaf", "servers", server!, "server.log"), "utf8")).toContain(
      "asked /v1/chat/completions Bearer … … --api-key,…",
    );
  },
);

test("a secret that is written into the config is refused, without a word of it", async () => {
  const one = samples[0]![0];
  const word = encodeURIComponent(one);
  for (const teacher of [
    `kind: openai\nmodel: m\nendpoint: "http://${word}@127.0.0.1:1/v1"`,
    `kind: openai\nmodel: m\nendpoint: "http://me:${word}@127.0.0.1:1/v1"`,
    `kind: openai\nmodel: m\nendpoint: "http://127.0.0.1:1/v1?token=${word}"`,
    `kind: openai\nserve: { model: m, args: ["--api-key", "${word}"] }`,
    `kind: openai\nserve: { model: m, env: { HF_TOKEN: "${word}" } }`,
  ]) {
    const dir = await project(teacher);
    for (const command of teacher.includes("HF_TOKEN") ? ["label", "run", "check"] : ["label"]) {
      const { code, said } = await leaf(dir, [command, "--json", "--verbose"], {});
      expect(code).toBe(2);
      expect(said).toMatch(/leaf\.yaml:\d+:\d+: .*must not hold|must not have a part/);
      expect(said).not.toContain(word);
    }
  }
});

test("a key of another name than a key's is not sent, nor a key to a host that was not approved", async () => {
  const of = (more: string) =>
    project(`kind: openai\nmodel: m\nendpoint: "https://192.0.2.1/v1"\npatience: 0\n${more}`);
  const env = { AWS_SECRET_ACCESS_KEY: "swordfish-9", OPENAI_API_KEY: "swordfish-9" };
  const wrong = await leaf(await of("keyEnv: AWS_SECRET_ACCESS_KEY"), ["label"], env);
  expect(wrong).toMatchObject({
    code: 2,
    said: expect.stringMatching(/leaf\.yaml:\d+:\d+: `teacher.keyEnv`: must be called \*_API_KEY/),
  });
  const dir = await of("keyEnv: OPENAI_API_KEY");
  const asked = await leaf(dir, ["label"], env);
  expect(asked).toMatchObject({
    code: 2,
    said: expect.stringMatching(
      /not approved this yet \(leaf\.yaml:\d+\): Send the key of the environment variable OPENAI_API_KEY to https:\/\/192\.0\.2\.1/,
    ),
  });
  expect(await leaf(dir, ["trust", "--list", "--json"], env)).toMatchObject({
    code: 0,
    said: expect.stringContaining('"approved": false'),
  });
  expect(await leaf(dir, ["trust", "--yes"], env)).toMatchObject({
    code: 0,
    said: expect.stringContaining("approved"),
  });
  expect(await leaf(dir, ["trust", "--forget"], env)).toMatchObject({
    code: 0,
    said: expect.stringContaining("Took 1 approval back"),
  });
});
