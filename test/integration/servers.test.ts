import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ServeConfig } from "../../src/engine/config/teacher.ts";
import { serverSpec } from "../../src/engine/teachers/serve/spec.ts";
import type { Failure } from "../../src/protocol/jobs.ts";
import type { ServerState, ServersResult } from "../../src/protocol/servers.ts";
import { leaf, leafJson, temporaryFolder } from "./workspace.ts";

// Real llama.cpp servers with a tiny random model, real runs in processes of their own, the built command line.
const folder = temporaryFolder();
const python = process.env.LEAF_PYTHON ?? "python3";
const support = path.resolve("test/support");
const children: ChildProcess[] = [];
let [projects, current] = [0, ""];

beforeAll(() => {
  execFileSync(python, [path.join(support, "llama", "make_tiny_model.py"), folder.dir]);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await leaf(current, "servers", "stop", "all");
  await until(() => processesOf(folder.dir).length === 0);
});
afterAll(() => folder.remove());

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(25)) if (await condition()) return;
  throw new Error("It did not happen in time.");
}

/** Ids of all processes that name a folder or file on their command line; zombies name nothing. */
function processesOf(dir: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dir) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

/** A project of its own, so that no test meets another's servers. */
function project(): string {
  const dir = path.join(folder.dir, `project-${++projects}`);
  mkdirSync(path.join(dir, "photos"), { recursive: true });
  writeFileSync(path.join(dir, "leaf.yaml"), "images: photos\n");
  current = dir;
  return dir;
}

/** What a config says: llama.cpp with the tiny model. */
function llama(over: object = {}) {
  return {
    model: folder.dir,
    command: [python, path.join(support, "llama", "serve.py"), "{model}", "{port}"],
    args: [],
    env: {},
    port: null,
    startMinutes: 1,
    idleMinutes: 5,
    ...over,
  };
}

/** A server that is written here: `script` is Python. */
const scripted = (script: string, over: object = {}) =>
  llama({ command: [python, "-u", "-c", script, folder.dir, "{port}"], ...over });

/** A copy of the model, with one file replaced. */
function modelFolder(dir: string, replaced?: string, bytes?: Buffer): string {
  const model = path.join(dir, "model");
  mkdirSync(model);
  for (const name of ["tiny.gguf", "mmproj-tiny.gguf"])
    writeFileSync(
      path.join(model, name),
      name === replaced ? bytes! : readFileSync(path.join(folder.dir, name)),
    );
  return model;
}

type Told = { note?: string; endpoint?: string; again?: string; failure?: Failure };

/** A run in a process of its own that uses a server. */
function acquire(dir: string, serve: object, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [path.join(support, "acquire.ts"), dir, JSON.stringify(serve)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  children.push(child);
  const told: Told[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => told.push(JSON.parse(line)));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const first = async (key: keyof Told) => {
    await until(() => child.exitCode !== null || told.some((one) => one[key] !== undefined), 60_000);
    return told.find((one) => one[key] !== undefined)?.[key];
  };
  return {
    child,
    told,
    ended,
    endpoint: async () => String(await first("endpoint")),
    failure: async () => (await first("failure")) as Failure,
    say: (word: string) => child.stdin!.write(`${word}\n`),
    again: async () => {
      child.stdin!.write("ready\n");
      return String(await first("again"));
    },
    release: async () => {
      child.stdin!.end("release\n");
      await ended;
    },
  };
}

/** The state of a project's only server; throws until there is one. */
function stateOf(dir: string): ServerState {
  const servers = path.join(dir, ".leaf", "servers");
  const key = readdirSync(servers).find((name) => existsSync(path.join(servers, name, "server.json")));
  return JSON.parse(readFileSync(path.join(servers, key!, "server.json"), "utf8"));
}

function isStarted(dir: string): boolean {
  try {
    return stateOf(dir).pid !== null;
  } catch {
    return false;
  }
}

async function models(endpoint: string): Promise<string[]> {
  const answer = (await (await fetch(`${endpoint}/models`)).json()) as { data: { id: string }[] };
  return answer.data.map((model) => model.id);
}

test("a run starts a server that answers, is listed, and stops once it has been idle", async () => {
  const dir = project();
  const run = acquire(dir, llama({ idleMinutes: 0.03 }));
  const endpoint = await run.endpoint();
  expect(await models(endpoint)).toEqual(["tiny-teacher"]);
  const { servers } = await leafJson<ServersResult>(dir, "servers");
  expect(servers).toMatchObject([{ phase: "ready", endpoint, users: [run.child.pid], idleSince: null }]);
  // It stays as long as it is used, however long that is.
  await sleep(3_000);
  expect(await models(endpoint)).toEqual(["tiny-teacher"]);
  await run.release();
  await until(() => stateOf(dir).phase === "stopped");
  await until(() => processesOf(folder.dir).length === 0);
  expect((await leaf(dir, "servers")).stdout).toMatch(/ stopped /);
});

test("runs in two processes share a server, also after the one that started it has ended", async () => {
  const dir = project();
  const first = acquire(dir, llama());
  const endpoint = await first.endpoint();
  const second = acquire(dir, llama({ idleMinutes: 3, startMinutes: 2 }));
  expect(await second.endpoint()).toBe(endpoint);
  const { pid } = stateOf(dir);
  await first.release();
  await second.release();
  const third = acquire(dir, llama());
  expect(await third.endpoint()).toBe(endpoint);
  expect(stateOf(dir).pid).toBe(pid);
  // Another command is another server.
  const other = acquire(dir, llama({ env: { GGML_N_THREADS: "1" } }));
  expect(await other.endpoint()).not.toBe(endpoint);
});

test("runs that start at once start one server", async () => {
  const dir = project();
  const runs = Array.from({ length: 4 }, () => acquire(dir, llama()));
  const endpoints = await Promise.all(runs.map((run) => run.endpoint()));
  expect(new Set(endpoints).size).toBe(1);
  const servers = processesOf(`${path.join(support, "llama", "serve.py")}\0`);
  expect(servers).toEqual([stateOf(dir).pid]);
});

test("a supervisor whose turn comes after a stop starts nothing", async () => {
  const dir = project();
  await acquire(dir, llama()).endpoint();
  const spec = serverSpec(llama() as ServeConfig, dir);
  const late = spawn(
    process.execPath,
    [path.resolve("dist/cli.js"), "supervise", path.join(dir, ".leaf", "servers", spec.key)],
    { stdio: ["pipe", "ignore", "ignore"] },
  );
  children.push(late);
  late.stdin!.end(JSON.stringify(spec));
  const ended = once(late, "close");
  await leafJson(dir, "servers", "stop");
  expect((await ended)[0]).toBe(0);
  expect(processesOf(`${path.join(support, "llama", "serve.py")}\0`)).toEqual([]);
  expect(stateOf(dir)).toMatchObject({ phase: "stopped", pid: null });
});

test("SIGINT while it starts ends the wait at once and leaves no process", async () => {
  const dir = project();
  const run = acquire(dir, scripted("import time; print('Loading model'); time.sleep(100)"));
  await until(() => isStarted(dir));
  run.child.kill("SIGINT");
  expect((await run.failure()).code).toBe("cancelled");
  expect(await run.ended).toBe(1);
  await until(() => processesOf(dir).length === 0);
  expect(stateOf(dir)).toMatchObject({ phase: "stopped", pid: null });
});

const slowServer = `
import http.server, sys, time
time.sleep(4)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if self.path == "/health" else 200); self.end_headers(); self.wfile.write(b'{"data": []}')
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Answer).serve_forever()
`;

test("a run that is cancelled while another waits for the same server leaves it to that one", async () => {
  const dir = project();
  const first = acquire(dir, scripted(slowServer));
  await until(() => isStarted(dir));
  const { pid } = stateOf(dir);
  const second = acquire(dir, scripted(slowServer));
  // A name that a file has only while it is written is no user yet.
  const users = path.join(dir, ".leaf", "servers", stateOf(dir).key, "users");
  await until(() => readdirSync(users).filter((name) => name.endsWith(".json")).length === 2);
  first.child.kill("SIGINT");
  await first.ended;
  // It has no /health, which is told by /v1/models.
  expect(await models(await second.endpoint())).toEqual([]);
  expect(stateOf(dir).pid).toBe(pid);
});

test("a server that ends in use is started again, where the run finds it", async () => {
  const dir = project();
  const run = acquire(dir, llama());
  const endpoint = await run.endpoint();
  const { pid } = stateOf(dir);
  process.kill(pid!, "SIGKILL");
  await until(() => stateOf(dir).phase !== "ready" || stateOf(dir).pid !== pid);
  expect(await run.again()).toBe(endpoint);
  expect(await models(endpoint)).toEqual(["tiny-teacher"]);
  expect(stateOf(dir)).toMatchObject({ restarts: 1 });
});

test("SIGTERM of the supervisor ends the server and all that it started", async () => {
  const dir = project();
  const nested = `import subprocess, sys, time\nsubprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)", sys.argv[1]], start_new_session=True)\n${slowServer}`;
  const run = acquire(dir, scripted(nested));
  await run.endpoint();
  expect(processesOf(folder.dir).length).toBeGreaterThanOrEqual(4);
  process.kill(stateOf(dir).supervisor, "SIGTERM");
  run.child.kill("SIGKILL");
  await until(() => processesOf(folder.dir).length === 0);
});

test("what a killed supervisor left is ended by the next run, and by `leaf servers`", async () => {
  const dir = project();
  const run = acquire(dir, llama());
  await run.endpoint();
  const before = stateOf(dir);
  process.kill(before.supervisor, "SIGKILL");
  await run.release();
  const next = acquire(dir, llama());
  expect(await models(await next.endpoint())).toEqual(["tiny-teacher"]);
  expect(stateOf(dir).pid).not.toBe(before.pid);
  expect(processesOf(`${path.join(support, "llama", "serve.py")}\0`)).toEqual([stateOf(dir).pid]);

  process.kill(stateOf(dir).supervisor, "SIGKILL");
  await next.release();
  expect((await leafJson<ServersResult>(dir, "servers")).servers).toMatchObject([
    { phase: "stopped", pid: null },
  ]);
  expect(processesOf(folder.dir)).toEqual([]);
});

test("a process that merely got the id of a lost server is left alone", async () => {
  const dir = project();
  const run = acquire(dir, llama());
  await run.endpoint();
  const state = stateOf(dir);
  process.kill(state.supervisor, "SIGKILL");
  await run.release();
  process.kill(state.pid!, "SIGKILL");
  const bystander = spawn("sleep", ["100"], { detached: true });
  children.push(bystander);
  const file = path.join(dir, ".leaf", "servers", state.key, "server.json");
  writeFileSync(file, JSON.stringify({ ...state, pid: bystander.pid }));
  const next = acquire(dir, llama());
  await next.endpoint();
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
});

test("`leaf servers stop` ends one by its model, or all", async () => {
  const dir = project();
  const runs = [acquire(dir, llama()), acquire(dir, llama({ env: { A: "1" } }))];
  const endpoints = await Promise.all(runs.map((run) => run.endpoint()));
  expect(await leaf(dir, "servers", "stop")).toMatchObject({ code: 2 });
  expect((await leaf(dir, "servers", "stop", "no-such-model")).stderr).toContain(
    "No server no-such-model runs.",
  );
  const { stopped } = await leafJson<{ stopped: string[] }>(dir, "servers", "stop", "all");
  expect(stopped).toHaveLength(2);
  for (const endpoint of endpoints) await expect(fetch(endpoint)).rejects.toThrow();
  // A run that used one is told, and does not start it again.
  runs[0]!.say("ready");
  expect((await runs[0]!.failure()).message).toContain("stopped by `leaf servers stop`");
  expect(await leafJson(dir, "servers", "stop")).toEqual({ stopped: [] });
});

test("keys reach the server, and neither its log nor its state", async () => {
  const dir = project();
  const [inEnvironment, inArguments, inConfig] = ["s3cr3t-environment", "s3cr3t-argument", "s3cr3t-config"];
  const script = `import os, sys\nprint(os.environ["SOME_API_KEY"], os.environ["MY_TOKEN"], sys.argv[3:])\n${slowServer.replace("time.sleep(4)", "")}`;
  const serve = scripted(script, { args: ["--api-key", inArguments], env: { MY_TOKEN: inConfig } });
  const run = acquire(dir, serve, { SOME_API_KEY: inEnvironment });
  await run.endpoint();
  const servers = path.join(dir, ".leaf", "servers");
  const [key] = readdirSync(servers);
  expect(readFileSync(path.join(servers, key!, "server.log"), "utf8")).toContain("… … ['--api-key', '…']");
  for (const name of readdirSync(servers, { recursive: true, encoding: "utf8" })) {
    expect(name).not.toContain("s3cr3t");
    if (/\.(json|log)$/.test(name))
      expect(readFileSync(path.join(servers, name), "utf8")).not.toContain("s3cr3t");
  }
});

test.each([
  ["no such program", { command: ["no-such-server", "{model}"] }, "environment", /no program no-such-server/],
  ["no vLLM", { command: ["/nowhere/vllm", "serve", "{model}"] }, "environment", /no program .*vllm/],
  ["no such model", { model: "missing" }, "input", /There is no model missing\/\S*tiny\.gguf/],
  [
    "a Python package that lacks",
    { command: [python, "-m", "no_such_package"] },
    "environment",
    /no_such_package/,
  ],
] as const)("%s is told with its remedy", async (_what, over, code, message) => {
  const dir = project();
  const failure = await acquire(dir, llama(over)).failure();
  expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(failure.remedy).toBeTruthy();
  expect(stateOf(dir)).toMatchObject({ phase: "failed", pid: null, failure: { code } });
});

test("a model whose architecture llama.cpp does not know", async () => {
  const bytes = readFileSync(path.join(folder.dir, "tiny.gguf"));
  const at = bytes.indexOf("qwen2", bytes.indexOf("general.architecture"));
  bytes.write("fooo2", at);
  const dir = project();
  const model = modelFolder(dir, "tiny.gguf", bytes);
  const failure = await acquire(dir, llama({ model })).failure();
  expect(failure.message).toMatch(/does not know the architecture of .*: fooo2/);
});

test("a model whose file is damaged", async () => {
  const dir = project();
  const model = modelFolder(dir, "tiny.gguf", Buffer.from("no model at all"));
  expect(await acquire(dir, llama({ model })).failure()).toMatchObject({
    code: "input",
    message: expect.stringContaining("damaged or incomplete"),
  });
});

test("a port that another program has", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  const failure = await acquire(project(), llama({ port })).failure();
  expect(failure).toMatchObject({
    code: "environment",
    message: `Port ${port} is in use by another program.`,
  });
  other.close();
});

test("a server that the system kills while it loads", async () => {
  const failure = await acquire(project(), scripted("import os; os.kill(os.getpid(), 9)")).failure();
  expect(failure.message).toMatch(
    /The system killed the teacher's server while it loaded .*because main memory ran out/,
  );
});

test("a server that is not ready in time is ended", async () => {
  const dir = project();
  const serve = scripted("import time; print('load_tensors: loading model tensors'); time.sleep(100)", {
    startMinutes: 0.03,
  });
  const failure = await acquire(dir, serve).failure();
  expect(failure.message).toMatch(/was not ready within 0\.03 minutes \(last: loading weights\)/);
  await until(() => processesOf(dir).length === 0);
});

test("after a failure the next run tries afresh", async () => {
  const dir = project();
  const model = path.join(dir, "model");
  expect((await acquire(dir, llama({ model })).failure()).code).toBe("input");
  modelFolder(dir);
  expect(await models(await acquire(dir, llama({ model })).endpoint())).toEqual(["tiny-teacher"]);
});

test("a server that ends again and again is given up", async () => {
  const dir = project();
  const fragile = `${slowServer.replace("time.sleep(4)", "")}`
    .replace(
      ".serve_forever()",
      "\nimport threading, os\nthreading.Timer(1, lambda: os._exit(7)).start()\nserver.serve_forever()",
    )
    .replace("http.server.HTTPServer(", "server = http.server.HTTPServer(");
  const run = acquire(dir, scripted(fragile));
  await run.endpoint();
  await until(() => stateOf(dir).phase === "failed", 40_000);
  run.say("ready");
  expect((await run.failure()).message).toMatch(/ended 4 times while it was in use/);
  expect(stateOf(dir).failure).toMatchObject({
    message: expect.stringMatching(/ended 4 times while it was in use\. Last it ended with exit code 7/),
  });
});
