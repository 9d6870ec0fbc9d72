import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { isProcessLocked } from "../../src/engine/base/processLock.ts";
import { temporaryFolder } from "./workspace.ts";

// The real venv and pip on locks of tiny packages, which lie in folders instead of an index: a "torch" that needs leaf-tiny, as the
// CUDA build needs its libraries, and in the second folder one that does not.
// Each environment is some ten seconds of work; a busy machine is no failure.
vi.setConfig({ testTimeout: 240_000 });
const { dir: root, remove } = temporaryFolder();
const index = path.join(root, "index");
const indexWithCpu = path.join(root, "index-cpu");
let dir = "";
let n = 0;

beforeAll(() => {
  const says = (answer: string) => ({ "leaf_tiny.py": `answer = "${answer}"` });
  const tiny = wheel(index, "leaf-tiny", "1.0", says("libraries"));
  const torch = wheel(index, "torch", "1.0", { "torch.py": "" }, "leaf-tiny");
  const cpu = wheel(indexWithCpu, "torch", "1.0+cpu", { "torch.py": "", ...says("cpu") });
  writeFileSync(path.join(root, "requirements.txt"), `torch==1.0 --hash=sha256:${torch}\n`);
  writeFileSync(path.join(root, "cuda.txt"), `leaf-tiny==1.0 --hash=sha256:${tiny}\n`);
  writeFileSync(path.join(root, "cpu.txt"), `torch==1.0+cpu --hash=sha256:${cpu}\n`);
});
/** A program of the name `uv` in a folder of its own. */
function uvOf(name: string, script: string): string {
  const file = path.join(root, name, "uv");
  mkdirSync(path.dirname(file));
  writeFileSync(file, `#!/usr/bin/env python3\n${script}`, { mode: 0o755 });
  return file;
}

// There may be a real one on this machine.
const brokenUv = uvOf("broken", "import sys; sys.exit('uv does not run here')");
const uvLog = path.join(root, "uv.jsonl");
/** Does uv's work with venv and pip, but knows nothing of pip's settings; notes how it was called. */
const fakeUv = uvOf(
  "fake",
  `import json, os, subprocess, sys
args = sys.argv[1:]
with open(${JSON.stringify(uvLog)}, "a") as log:
    log.write(json.dumps({"args": args, "env": {k: v for k, v in os.environ.items() if k.startswith("UV_")}}) + "\\n")
if args == ["--version"]: sys.exit(print("uv 1.0"))
python = args[args.index("--python") + 1]
if args[0] == "venv": sys.exit(subprocess.call([python, "-m", "venv", args[-1]]))
if "--break" in os.environ.get("UV_FIND_LINKS", ""): sys.exit("error: Failed to fetch\\n  cause: Connection refused")
env = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")}
env |= {"PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": os.environ.get("UV_FIND_LINKS", "").replace(",", " ")}
args = [one for one in args if one != "--compile-bytecode"]  # pip does so by itself
for name in ("--python", "--color", "--index-strategy"):
    if name in args: del args[args.index(name):args.index(name) + 2]
sys.exit(subprocess.call([python, "-m", *args], env=env))
`,
);
const uvCalls = () =>
  readFileSync(uvLog, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { args: string[]; env: Record<string, string> });
const realUv = spawnSync("sh", ["-c", "command -v uv"], { encoding: "utf8" }).stdout.trim();

beforeEach(() => {
  dir = path.join(root, `python-${n++}`);
});
afterAll(remove);

/** Writes a package of these modules and returns its digest. */
function wheel(
  folder: string,
  name: string,
  version: string,
  modules: Record<string, string>,
  needs = "",
): string {
  const stem = `${name.replace("-", "_")}-${version}`;
  const info = `${stem}.dist-info`;
  const metadata = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${needs && `Requires-Dist: ${needs}\n`}`;
  const files = {
    ...modules,
    [`${info}/METADATA`]: metadata,
    [`${info}/WHEEL`]: "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    [`${info}/RECORD`]: "",
  };
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${stem}-py3-none-any.whl`);
  const code = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z:
    for name, text in json.loads(sys.argv[2]).items():
        z.writestr(zipfile.ZipInfo(name), text)`;
  const { status, stderr } = spawnSync("python3", ["-c", code, file, JSON.stringify(files)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

interface Maker {
  child: ChildProcess;
  steps: string[];
  /** Resolves when it has told this step. */
  told(step: RegExp): Promise<void>;
  /** The last line: what it found, or its error. */
  end: Promise<string>;
}

/** Another process that makes the environment; SIGTERM cancels it as Ctrl-C does. */
function maker(...folders: string[]): Maker {
  return makerBy(brokenUv, ...folders);
}

/** The same with another program for `uv`. */
function makerBy(uv: string, ...folders: string[]): Maker {
  const script = `const { makeEnvironment } = await import(${JSON.stringify(path.resolve("src/engine/python/make.ts"))});
    const { runPython } = await import(${JSON.stringify(path.resolve("src/engine/python/run.ts"))});
    const controller = new AbortController();
    process.on("SIGTERM", () => controller.abort());
    const ask = async (interpreter, signal) =>
      (await runPython(interpreter, ["-c", "import leaf_tiny; print(leaf_tiny.answer)"], { signal })).stdout.trim();
    const recipe = { dir: ${JSON.stringify(dir)}, requirements: ${JSON.stringify(path.join(root, "requirements.txt"))},
      cpu: ${JSON.stringify(path.join(root, "cpu.txt"))}, cuda: ${JSON.stringify(path.join(root, "cuda.txt"))}, prove: ask };
    const options = { signal: controller.signal, onProgress: ({ step }) => console.log("step " + step) };
    console.log(await makeEnvironment(recipe, options).then((found) => "made " + found, (error) => error.message));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      PATH: [path.dirname(uv), process.env.PATH].join(path.delimiter),
      PIP_NO_INDEX: "1",
      PIP_FIND_LINKS: [index, ...folders].join(" "),
      PIP_CONFIG_FILE: "/dev/null",
      PIP_CERT: undefined,
    },
  });
  const steps: string[] = [];
  const waiting: { step: RegExp; resolve(): void }[] = [];
  let last = "";
  createInterface({ input: child.stdout! }).on("line", (line) => {
    last = line;
    if (line.startsWith("step ")) steps.push(line.slice(5));
    for (const { step, resolve } of waiting) if (steps.some((one) => step.test(one))) resolve();
  });
  return {
    child,
    steps,
    told: (step) =>
      new Promise((resolve) =>
        steps.some((one) => step.test(one)) ? resolve() : waiting.push({ step, resolve }),
      ),
    end: new Promise((resolve) => child.once("close", () => resolve(last))),
  };
}

test("of two processes at once one makes it, the other waits and uses it", async () => {
  const first = maker();
  await first.told(/virtual environment/);
  const second = maker();
  await second.told(/waiting for another process/);
  expect(await Promise.all([first.end, second.end])).toEqual(["made libraries", "made libraries"]);
  expect(new Set(second.steps)).toEqual(new Set(["waiting for another process that sets it up"]));
  expect(isProcessLocked(`${dir}.lock`)).toBe(false);
  if (process.platform !== "win32") expect(existsSync(`${dir}.lock`)).toBe(false);
});

test("who waits can be cancelled, and makes it anew where the one at work is", async () => {
  const first = maker();
  await first.told(/virtual environment/);
  const second = maker();
  await second.told(/waiting/);
  const third = maker();
  await third.told(/waiting/);
  third.child.kill("SIGTERM");
  expect(await third.end).toBe("Cancelled.");
  first.child.kill("SIGTERM");
  expect(await first.end).toBe("Cancelled.");
  expect(await second.end).toBe("made libraries");
  expect(second.steps).toContain("creating a virtual environment");
  expect(isProcessLocked(`${dir}.lock`)).toBe(false);
});

test.skipIf(process.platform === "win32")(
  "one that is killed leaves no lock and nothing at work (by ps, which Windows has not)",
  async () => {
    const first = maker();
    // Python is there, pip is on its way.
    await expect.poll(() => existsSync(path.join(dir, "bin", "python")), { timeout: 30_000 }).toBe(true);
    first.child.kill("SIGKILL");
    await first.end;
    expect(isProcessLocked(`${dir}.lock`)).toBe(false);
    const atWork = () => spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout.includes(dir);
    await expect.poll(atWork, { timeout: 30_000 }).toBe(false);
    expect(existsSync(path.join(dir, "bin", "pip"))).toBe(false);
  },
);

test("builds without CUDA are taken where they are offered; a package that was tampered with is refused", async () => {
  expect(await maker(indexWithCpu).end).toBe("made cpu");
  rmSync(dir, { recursive: true });
  wheel(indexWithCpu, "torch", "1.0+cpu", { "torch.py": "", "leaf_tiny.py": "answer = 'stranger'" });
  expect(await maker(indexWithCpu).end).toMatch(
    /^torch==1\.0\+cpu is not the file that LEAF was locked to: its hash differs/,
  );
  expect(existsSync(path.join(dir, "ready.json"))).toBe(false);
});

test.skipIf(process.platform === "win32")(
  "uv makes it where there is one, of the same locks, and takes packages from where pip is set to",
  async () => {
    const first = makerBy(fakeUv);
    expect(await first.end).toBe("made libraries");
    expect(existsSync(path.join(dir, "ready.json"))).toBe(true);
    const [version, venv, ...pip] = uvCalls();
    expect(version!.args).toEqual(["--version"]);
    expect(venv!.args).toEqual(["venv", "--no-project", "--python", "python3", dir]);
    const locks = pip.map(({ args }) => (args[1] === "install" ? path.basename(args.at(-1)!) : args[1]));
    expect(locks).toEqual(["cpu.txt", "requirements.txt", "cuda.txt", "check"]);
    for (const { args, env } of pip.filter(({ args }) => args[1] === "install")) {
      expect(args).toEqual(
        expect.arrayContaining(["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-index"]),
      );
      expect(args[args.indexOf("--python") + 1]).toContain(dir);
      expect(env.UV_FIND_LINKS).toBe(index);
    }
  },
);

test.skipIf(process.platform === "win32")("a uv that cannot install says why, as pip does", async () => {
  expect(await makerBy(fakeUv, "--break").end).toBe(
    "Cannot install the trainer's packages: Failed to fetch: Connection refused",
  );
});

test.skipIf(!realUv)(`the real uv does the same (${realUv || "there is none on the PATH"})`, async () => {
  expect(await makerBy(realUv).end).toBe("made libraries");
  rmSync(dir, { recursive: true });
  wheel(indexWithCpu, "torch", "1.0+cpu", { "torch.py": "", "leaf_tiny.py": "answer = 'stranger'" });
  expect(await makerBy(realUv, indexWithCpu).end).toMatch(
    /^torch==1\.0\+cpu is not the file that LEAF was locked to: its hash differs/,
  );
});

test.skipIf(!realUv)("a real uv that is cut off leaves nothing at work (skipped without one)", async () => {
  const first = makerBy(realUv, "http://127.0.0.1:9/none");
  await first.told(/virtual environment/);
  first.child.kill("SIGKILL");
  await first.end;
  const atWork = () => spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout.includes(dir);
  await expect.poll(atWork, { timeout: 30_000 }).toBe(false);
});
