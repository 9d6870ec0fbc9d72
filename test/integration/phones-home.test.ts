import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, watch, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pythonSource, resolveInterpreter, trainerEnvironment } from "../../src/engine/python/environment.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { uriOf } from "../../src/server/uris.ts";
import { conditions, startServer } from "../server/startServer.ts";
import { askedFor, compileRecorder, filesIn, whyNoRecorder } from "../support/network/recorder.ts";
import { makeWorkspace, temporaryFolder } from "./workspace.ts";

// All that LEAF starts, with a resolver that records what is asked for (and lets nothing out) and an empty HOME.
const run = promisify(execFile);
const { dir: root, remove } = temporaryFolder();
const workspace = path.join(root, "workspace");
const model = path.resolve("assets/embedded-teacher/model.onnx");
const interpreter = resolveInterpreter(undefined, ".");
const held: ChildProcess[] = [];
let library = "";

beforeAll(() => makeWorkspace(workspace, 12));
afterAll(() => {
  for (const child of held) child.kill("SIGKILL");
  remove();
});

/** A HOME and a log of its own; whoever starts LEAF has asked for every report there is. */
function watched(name: string) {
  const home = path.join(root, name);
  const log = path.join(root, `${name}.log`);
  mkdirSync(home);
  writeFileSync(log, "");
  const inherited = Object.entries(process.env).filter(
    ([key]) => !/^(XDG_|HF_|TRANSFORMERS_|TORCH|TRITON|LEAF_HOME$|CI$|GITHUB_|TF_BUILD$)/.test(key),
  );
  const env = {
    ...Object.fromEntries(inherited),
    HOME: home,
    LEAF_PYTHON: interpreter,
    LEAF_NETWORK_LOG: log,
    LD_PRELOAD: library,
    ORT_DISABLE_TELEMETRY: "0",
    HF_HUB_DISABLE_TELEMETRY: "0",
    HF_XET_TELEMETRY_ENABLED: "1",
    DO_NOT_TRACK: "0",
  };
  return { home, log, env };
}

/** Starts a process that stays, and waits for its first line. */
async function hold(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  held.push(child);
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  expect(line).toBe("open");
}

/** onnxruntime with a network, by itself: it shows when a report would have been sent, and that the recorder sees it. */
async function untilOnnxruntimeReports(control: ReturnType<typeof watched>): Promise<void> {
  const script = `const { InferenceSession } = require("onnxruntime-node");
    InferenceSession.create(${JSON.stringify(model)}).then(() => console.log("open"));
    process.stdin.resume();`;
  const reported = new Promise<void>((resolve) => {
    const watcher = watch(control.log, () => {
      if (askedFor(control.log).length === 0) return;
      watcher.close();
      resolve();
    });
  });
  await hold(process.execPath, ["-e", script], control.env);
  await reported;
}

/** The language server, once it knows the folder's images. */
async function serverOf(folder: string, env: NodeJS.ProcessEnv) {
  const { until, look } = conditions();
  let images = 0;
  const server = await startServer(
    folder,
    (connection) =>
      connection.onNotification("leaf/changed", ({ projects }: { projects: ProjectSnapshot[] }) => {
        images = projects[0]?.images?.usable ?? 0;
        look();
      }),
    env,
  );
  await until(() => images > 0);
  return server;
}

const pythonHolds = `import leaf, onnxruntime, sys
session = onnxruntime.InferenceSession(${JSON.stringify(model)}, providers=["CPUExecutionProvider"])
print("open", flush=True)
sys.stdin.read()`;

/** Needs no recorder: onnxruntime wrote its device id as soon as it had a network. */
test("a label leaves nothing in HOME", async () => {
  const { home, env } = watched("label-home");
  const { LD_PRELOAD: _, ...unrecorded } = env;
  const leaf = [path.resolve("bin/leaf.js"), "label", "--json"];
  const { stdout } = await run(process.execPath, leaf, { cwd: workspace, env: unrecorded });
  const { points, checks } = JSON.parse(stdout);
  expect([points, checks.points]).toEqual([8, 4].map((labelled) => ({ labelled, reused: 0, failed: 0 })));
  expect(filesIn(home)).toEqual([]);
});

const missing = whyNoRecorder();
describe.skipIf(missing)(`nothing phones home${missing ? ` (not here: ${missing})` : ""}`, () => {
  beforeAll(() => {
    library = compileRecorder(root);
  });

  test("a hover, a run, an export and scores ask for no host and leave nothing in HOME", {
    timeout: 240_000,
  }, async () => {
    const { home, log, env } = watched("home");
    const control = watched("control");
    const { connection, stop } = await serverOf(workspace, env);
    const photo = uriOf(path.join(workspace, "photos", "coffee_000.png"));
    const hover = await connection.sendRequest<{ row: { score: number } }>("leaf/image", {
      uri: photo,
      rescore: true,
    });
    expect(hover.row.score).toBeGreaterThan(1);
    await hold(interpreter, ["-c", pythonHolds], { ...env, PYTHONPATH: pythonSource() });

    const leaf = (...args: string[]) =>
      run(process.execPath, [path.resolve("bin/leaf.js"), ...args], { cwd: workspace, env });
    await leaf("run");
    await leaf("export", "student", "-o", "out");
    const { stdout } = await leaf("score", "photos", "--json");
    expect(JSON.parse(stdout).scores).toHaveLength(12);

    // The server, its scorer and Python have been open for longer than this one needs.
    await untilOnnxruntimeReports(control);
    expect({ asked: askedFor(log), left: filesIn(home) }).toEqual({ asked: [], left: [] });
    await stop();
    expect(askedFor(control.log)[0]).toMatch(/getaddrinfo \S+ 443/);
    expect(filesIn(control.home)).not.toEqual([]);
  });

  test("labels of a local teacher ask for no host either", { timeout: 240_000 }, async () => {
    const { home, log, env } = watched("teacher-home");
    const tiny = path.join(workspace, "tiny");
    await run(interpreter, [path.join(pythonSource(), "tests", "tiny_vlm.py"), "internvl", tiny], {
      env: trainerEnvironment(),
    });
    const config = `images: photos
teacher: { kind: transformers, model: tiny, prompts: { letters: [poor, good], tie: bad } }
label: { pairsPerImage: 1 }
`;
    writeFileSync(path.join(workspace, "teacher.leaf.yaml"), config);
    const { stdout } = await run(
      process.execPath,
      [path.resolve("bin/leaf.js"), "label", "-c", "teacher.leaf.yaml", "--json"],
      { cwd: workspace, env },
    );
    expect(JSON.parse(stdout).points).toEqual({ labelled: 12, reused: 0, failed: 0 });
    expect({ asked: askedFor(log), left: filesIn(home) }).toEqual({ asked: [], left: [] });
  });
});
