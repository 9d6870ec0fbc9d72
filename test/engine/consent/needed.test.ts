import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/engine/config/read.ts";
import { consentItems, openConsent, remember } from "../../../src/engine/consent/needed.ts";
import { approvalsFile, isApproved } from "../../../src/engine/consent/store.ts";
import { resolveInterpreter } from "../../../src/engine/python/environment.ts";
import { createTeacher } from "../../../src/engine/teachers/createTeacher.ts";
import { keyFinder } from "../../../src/engine/teachers/openai/keys.ts";
import type { ConsentWork } from "../../../src/protocol/consent.ts";
import { quoted } from "../../../src/words/text.ts";
import { startChatServer } from "../../support/chatServer.ts";

const dir = mkdtempSync(path.join(tmpdir(), "leaf-consent-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const names = [
  "LEAF_HOME",
  "LEAF_PYTHON",
  "LEAF_RENDEZVOUS",
  "LEAF_ALLOW_PROGRAMS",
  "LEAF_ALLOWED_KEY_ENV",
  "LEAF_TEACHER_KEY",
  "LEAF_TEACHER_KEYS",
  "HF_HUB_CACHE",
];
const before = names.map((name) => [name, process.env[name]] as const);
let [root, projects] = ["", 0];
beforeEach(() => {
  for (const name of names) delete process.env[name];
  root = path.join(dir, `project-${++projects}`);
  mkdirSync(root);
  process.env.LEAF_HOME = path.join(dir, `home-${projects}`);
});
afterEach(() => {
  for (const [name, value] of before)
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
});

/** A project whose config says this. */
function project(text: string) {
  const configFile = path.join(root, "leaf.yaml");
  writeFileSync(configFile, `images: photos\n${text}\n`);
  const parsed = parseConfig(readFileSync(configFile, "utf8"));
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join("; "));
  return { configFile, root, config: parsed.config };
}

function script(name: string, text = "#!/bin/sh\n"): void {
  writeFileSync(path.join(root, name), text);
  chmodSync(path.join(root, name), 0o755);
}

const open = (text: string, work: ConsentWork = "run") => openConsent([project(text)], work).items;

describe("machines that a config trains together with", () => {
  const text = "distill: { launch: { nodes: 2, rendezvous: 'node-1:29500' } }";

  it("are asked about where something is distilled, also where all programs are allowed", async () => {
    process.env.LEAF_ALLOW_PROGRAMS = "1";
    const [item] = open(text, "distill");
    expect(item).toMatchObject({
      kind: "rendezvous",
      line: 2,
      title: "Train together with all machines that meet at node-1:29500",
    });
    expect(
      ["run", "experiment", "calibrate", "label"].map((work) => open(text, work as ConsentWork).length),
    ).toEqual([1, 1, 0, 0]);
    await remember([item!], "allow");
    expect(open(text)).toEqual([]);
    expect(open(text.replace("node-1", "node-2"))).toHaveLength(1);
    // The user's own word needs none.
    process.env.LEAF_RENDEZVOUS = "node-3:29500";
    expect(open(text.replace("node-1", "node-2"))).toEqual([]);
  });
});

describe("an interpreter that a config names", () => {
  const text = "python: { interpreter: ./tool.sh }";

  it("is not run before it is approved, and again not once its content is another", async () => {
    script("tool.sh");
    const [item] = open(text);
    expect(item).toMatchObject({
      kind: "interpreter",
      line: 2,
      title: "Run the Python interpreter ./tool.sh",
    });
    expect(() => resolveInterpreter("./tool.sh", root)).toThrow(
      /You have not approved this yet: Run the Python/,
    );
    await remember([item!], "allow");
    expect(resolveInterpreter("./tool.sh", root)).toBe(path.join(root, "tool.sh"));
    expect(open(text)).toEqual([]);
    script("tool.sh", "#!/bin/sh\nrm -rf /\n");
    expect(open(text)).toHaveLength(1);
    expect(() => resolveInterpreter("./tool.sh", root)).toThrow(/not approved/);
  });

  it("never comes before the user's own", () => {
    script("tool.sh");
    process.env.LEAF_PYTHON = process.execPath;
    expect(open(text)).toEqual([]);
    expect(resolveInterpreter("./tool.sh", root)).toBe(process.execPath);
  });

  it("may be answered with the managed one", async () => {
    script("tool.sh");
    await remember(open(text), "managed");
    expect(open(text)).toEqual([]);
    expect(() => resolveInterpreter("./tool.sh", root)).toThrow(
      "There is no Python environment to train with yet.",
    );
  });

  it("is allowed for all by LEAF_ALLOW_PROGRAMS=1, and by a damaged store for none", () => {
    script("tool.sh");
    process.env.LEAF_ALLOW_PROGRAMS = "1";
    expect(resolveInterpreter("./tool.sh", root)).toBe(path.join(root, "tool.sh"));
    process.env.LEAF_ALLOW_PROGRAMS = "true please";
    mkdirSync(process.env.LEAF_HOME!, { recursive: true });
    for (const damaged of ["", "{", "[]", '{"v":1,"decisions":[]}', '{"v":1,"decisions":{"__proto__":1}}']) {
      writeFileSync(approvalsFile(), damaged);
      expect(() => resolveInterpreter("./tool.sh", root)).toThrow(/not approved/);
    }
  });
});

describe("a server that a config names", () => {
  const text = (more = "") =>
    `teacher: { kind: openai, serve: { model: m, command: [python3, serve.py, "{port}"]${more} } }`;

  it("is another with every argument, variable, folder and script", async () => {
    script("serve.py", "print(1)");
    const [item] = open(text());
    expect(item).toMatchObject({
      kind: "server",
      details: ["python3 serve.py {port}", `in ${root}`],
      line: 2,
    });
    await remember([item!], "allow");
    expect(open(text())).toEqual([]);
    for (const other of [", args: [--x]", ", env: { LD_PRELOAD: ./evil.so }"])
      expect(open(text(other))).toHaveLength(1);
    script("serve.py", "print(2)");
    expect(open(text())).toHaveLength(1);
  });

  it("is shown as it is, with nothing hidden in its words", () => {
    const [item] = open(
      `teacher: { kind: openai, serve: { model: "m\\n\\e[2K\\u202E", command: [run, "{model}", "a b"] } }`,
    );
    expect(item!.details[0]).toBe('run "m\\n\\u001b[2K\\u{202e}" "a b"');
  });

  it("is not started before it is approved", async () => {
    script("serve.sh", `#!/bin/sh\ntouch ${root}/RAN\n`);
    const { config } = project(
      'teacher: { kind: openai, serve: { model: m, command: [./serve.sh, "{port}"] } }',
    );
    await expect(createTeacher(config.teacher, { root })).rejects.toMatchObject({ code: "consent" });
  });
});

describe("what is large to fetch", () => {
  const clip = "teacher: { kind: clip, model: google/siglip-base-patch16-224 }";
  const cache = () => path.join(root, "hub", "models--google--siglip-base-patch16-224", "snapshots", "abc");

  it("is asked about once, with its size, and not where it lies on this machine", async () => {
    process.env.HF_HUB_CACHE = path.join(root, "hub");
    const [item, ...others] = open(clip);
    expect(others).toEqual([]);
    expect(item).toMatchObject({ kind: "download", line: 2 });
    expect(item!.title).toBe(
      "Download the model google/siglip-base-patch16-224 from the Hugging Face hub (about 813 MB)",
    );
    await expect(createTeacher(project(clip).config.teacher, { root })).rejects.toMatchObject({
      code: "consent",
    });
    expect(open(clip.replace("google/siglip-base-patch16-224", "org/other"))[0]!.title).toContain(
      "tells the size",
    );
    expect(open(clip.replace("google/", "./google/"))).toEqual([]);
    await remember([item!], "allow");
    expect(open(clip)).toEqual([]);
    expect(open(clip.replace(" }", ", revision: v2 }"))).toHaveLength(1);
    mkdirSync(cache(), { recursive: true });
    expect(open(clip.replace(" }", ", revision: v2 }"))).toEqual([]);
    expect(consentItems(project(clip), "distill")).toEqual([]);
  });
});

describe("where a key goes", () => {
  const remote =
    'teacher: { kind: openai, model: m, endpoint: "https://api.example/v1", keyEnv: OPENAI_API_KEY }';

  it("is asked once for each variable and host, whichever config names them", async () => {
    expect(open(remote).map(({ title, line }) => [title, line])).toEqual([
      ["Send the key of the environment variable OPENAI_API_KEY to https://api.example", 2],
    ]);
    await remember(open(remote), "allow");
    expect(open(`label: { seed: 3 }\n${remote}`)).toEqual([]);
    expect(open(remote.replace("api.example", "evil.example"))).toHaveLength(1);
    expect(open(remote.replace("OPENAI", "OTHER"))).toHaveLength(1);
    expect(open(remote.replace("https://api.example/v1", "http://127.0.0.1:1/v1"))).toEqual([]);
  });

  it("plain http beyond this machine is asked about too", () => {
    expect(open(remote.replace("https:", "http:")).map(({ kind }) => kind)).toEqual(["plainHttp", "key"]);
    const noKey = 'teacher: { kind: openai, model: m, endpoint: "http://10.0.0.1:8000/v1" }';
    expect(open(noKey).map(({ kind }) => kind)).toEqual(["plainHttp"]);
    process.env.LEAF_TEACHER_KEY = "swordfish";
    expect(open(noKey).map(({ kind }) => kind)).toEqual(["plainHttp", "key"]);
    expect(consentItems(project(noKey), "distill")).toEqual([]);
  });

  it("a key that the editor keeps goes to the origin that it was given for alone", () => {
    process.env.LEAF_TEACHER_KEYS = JSON.stringify({ "https://api.example": "kept-key" });
    const keyFor = keyFinder({ keyEnv: undefined, serve: undefined }, process.env);
    expect(keyFor("https://api.example/v1/models")).toBe("kept-key");
    for (const other of [
      "http://api.example/v1",
      "https://api.example:8443/v1",
      "https://api.example.evil/v1",
      "https://x/",
    ])
      expect(keyFor(other)).toBeUndefined();
    for (const damaged of ["", "{", "[]", "null", '{"https://api.example": 1}'])
      expect(
        keyFinder(
          { keyEnv: undefined, serve: undefined },
          { LEAF_TEACHER_KEYS: damaged },
        )("https://api.example"),
      ).toBeUndefined();
  });

  it("one server of two gets its own key and not the other's", async () => {
    const [first, second] = [await startChatServer(), await startChatServer()];
    try {
      process.env.LEAF_TEACHER_KEYS = JSON.stringify({ [new URL(first.url).origin]: "key-of-first" });
      for (const server of [first, second]) {
        const { config } = project(`teacher: { kind: openai, model: m, endpoint: "${server.url}" }`);
        await (await createTeacher(config.teacher, { root })).close();
      }
      expect(new Set(first.headers.map(({ authorization }) => authorization))).toEqual(
        new Set(["Bearer key-of-first"]),
      );
      expect(new Set(second.headers.map(({ authorization }) => authorization))).toEqual(new Set([undefined]));
    } finally {
      await Promise.all([first.close(), second.close()]);
    }
  });
});

describe("the config", () => {
  const problem = (text: string) => {
    const parsed = parseConfig(`images: photos\n${text}`);
    return parsed.ok ? undefined : parsed.problems[0];
  };
  const endpoint = (url: string) => problem(`teacher: { kind: openai, model: m, endpoint: "${url}" }`);
  const serve = (more: string) => problem(`teacher:\n  kind: openai\n  serve:\n    model: m\n    ${more}`);

  it("names only variables that hold keys by their name, or that the user has allowed", () => {
    const keyEnv = (name: string) =>
      problem(`teacher:\n  kind: openai\n  model: m\n  endpoint: http://h/v1\n  keyEnv: ${name}`);
    expect(keyEnv("AWS_SECRET_ACCESS_KEY")).toMatchObject({
      line: 6,
      message: expect.stringContaining("*_API_KEY or LEAF_*"),
    });
    for (const name of ["GITHUB_TOKEN", "HF_TOKEN", "PATH", "API_KEY_X"]) expect(keyEnv(name)).toBeDefined();
    for (const name of ["OPENAI_API_KEY", "LEAF_KEY", "MY_API_KEY"]) expect(keyEnv(name)).toBeUndefined();
    process.env.LEAF_ALLOWED_KEY_ENV = "HF_TOKEN, CORP_*_TOKEN";
    for (const name of ["HF_TOKEN", "CORP_X_TOKEN"]) expect(keyEnv(name)).toBeUndefined();
    for (const name of ["HF_TOKENS", "AHF_TOKEN", "CORP_X"]) expect(keyEnv(name)).toBeDefined();
  });

  it("no answer is lost where several windows ask at the same moment", async () => {
    const items = Array.from({ length: 8 }, (_, i) => ({
      kind: "server" as const,
      digest: `${i}`.repeat(64),
      title: "Start the teacher's server",
      words: quoted("Start the teacher's server"),
      details: [],
      detailWords: [],
      path: ["teacher", "serve"],
      file: "leaf.yaml",
      line: 1,
    }));
    await Promise.all(items.map((item) => remember([item], "allow")));
    expect(items.map((item) => isApproved(item))).toEqual(items.map(() => true));
  });

  it("holds no secret itself, and no message of it does", () => {
    const secret = "swordfish-7";
    const found = [
      endpoint(`http://${secret}@127.0.0.1:1/v1`),
      endpoint(`http://me:${secret}@127.0.0.1:1/v1`),
      endpoint(`http://127.0.0.1:1/v1?api_key=${secret}`),
      endpoint(`htp://me:${secret}@127.0.0.1:1/v1`),
      serve(`args: [--api-key, ${secret}]`),
      serve(`args: [--api-key=${secret}]`),
      serve(`env: { VLLM_API_KEY: ${secret} }`),
      serve(`env: { X: hf_${"a1B2".repeat(8)} }`),
    ];
    for (const one of found) expect(one).toBeDefined();
    expect(JSON.stringify(found)).not.toMatch(/swordfish|a1B2/);
    expect(found.slice(4).map((one) => one!.line)).toEqual([6, 6, 6, 6]);
    for (const fine of [
      'args: [--api-key, "{env:MY_API_KEY}"]',
      'env: { VLLM_API_KEY: "{env:MY_API_KEY}" }',
      "args: [--tokenizer, Qwen/Qwen3]",
    ])
      expect(serve(fine)).toBeUndefined();
  });
});
