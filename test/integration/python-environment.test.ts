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
