import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { forgetSecrets, knowSecrets } from "../../../src/engine/base/redact.ts";
import type { Project } from "../../../src/engine/config/project.ts";
import { carryOut } from "../../../src/engine/pipeline/carryOut.ts";
import { summariseRuns } from "../../../src/engine/pipeline/runSummaries.ts";
import {
  beginStage,
  changeRun,
  listRuns,
  recordFailure,
  recordStage,
  runFor,
} from "../../../src/engine/pipeline/runs.ts";
import { isFinished, stageDir, writeResult } from "../../../src/engine/pipeline/stage.ts";
import { quoted, say } from "../../../src/words/text.ts";
import { liveProject } from "../../support/liveWorld.ts";
import { nodeChild } from "../../support/nodeChild.ts";
import { temporaryFolder } from "../../support/pictures.ts";

/** Carries a stage out in a process of its own, for ever. */
function worker(project: Project) {
  return nodeChild(
    `const { carryOut } = await import(engine + "/pipeline/carryOut.ts");
    const project = ${JSON.stringify(project)};
    await carryOut(project, { stage: "distill", key: "abc", inputs: {}, keys: { distill: "abc" } }, {
      work() { console.log("working"); return new Promise((resolve) => setTimeout(resolve, 600_000)); },
      record() {},
    });`,
  );
}

const states = async (project: Project) => (await listRuns(project)).map(({ id, state }) => `${id} ${state}`);
const reasonOf = async (project: Project) => (await listRuns(project)).at(-1)?.reason;
const entry = { key: "abc", seconds: 1, result: {} };

function stage(project: Project, work: () => Promise<unknown>) {
  return carryOut(
    project,
    { stage: "distill", key: "abc", inputs: {}, keys: { distill: "abc" } },
    {
      work,
      async record(run, reused) {
        await recordStage(project, run, "distill", entry);
        return { run: run.id, reused };
      },
    },
  );
}

test("a run whose process is gone has failed and says why, and goes on under its number", async () => {
  const project = liveProject(temporaryFolder());
  const first = worker(project);
  await first.line();
  expect(await states(project)).toEqual(["r1 running"]);
  await first.kill();
  expect(await states(project)).toEqual(["r1 failed"]);
  expect(await reasonOf(project)).toBe(
    "The process of distill ended without a message: it was killed, or the machine went down. Run it again: it goes on where it was.",
  );
  expect((await summariseRuns(project, await listRuns(project)))[0]).toMatchObject({
    state: "failed",
    reason: {
      template:
        "The process of {0} ended without a message: it was killed, or the machine went down. Run it again: it goes on where it was.",
      values: ["distill"],
    },
  });
  const finish = async () => {
    for (const name of ["student.onnx", "student.json"])
      writeFileSync(path.join(stageDir(project, "distill", "abc"), name), "{}");
    await writeResult(project, { stage: "distill", key: "abc", inputs: {} }, {});
  };
  expect(await stage(project, finish)).toEqual({ run: "r1", reused: false });
  expect(await states(project)).toEqual(["r1 done"]);
  expect(await reasonOf(project)).toBeNull();
  expect(await stage(project, finish)).toEqual({ run: "r1", reused: true });
});

test("a run that fails or is cancelled says so, and why", async () => {
  const project = liveProject(temporaryFolder());
  const failing = (error: unknown) => expect(stage(project, () => Promise.reject(error))).rejects.toBe(error);
  await failing(new LeafError("failed", say`The disk is full.`));
  expect(await listRuns(project)).toMatchObject([{ id: "r1", state: "failed", reason: "The disk is full." }]);
  await failing(new LeafError("cancelled", say`Cancelled.`));
  expect(await listRuns(project)).toMatchObject([{ id: "r1", state: "cancelled", reason: null }]);
  await failing(new LeafError("cancelled", say`Cancelled: no window listened for 45 s.`));
  expect(await reasonOf(project)).toBe("Cancelled: no window listened for 45 s.");
  expect(isFinished(project, "distill", "abc")).toBe(false);
});

test("why a run ended is kept as data beside the English sentence, and of a former version it is that sentence", async () => {
  const project = liveProject(temporaryFolder());
  const summary = async () => (await summariseRuns(project, await listRuns(project)))[0]!.reason;
  const failed = say`Cannot read ${"a.png"}: ${say`permission is denied`}.`;
  await stage(project, () => Promise.reject(new LeafError("failed", failed))).catch(() => {});
  expect(await reasonOf(project)).toBe("Cannot read a.png: permission is denied.");
  expect(await summary()).toEqual(failed);
  const [run] = await listRuns(project);
  // A former version writes the sentence, and keeps the words that it does not know.
  await changeRun(project, run!, { reason: "Out of memory." });
  expect(await summary()).toEqual(quoted("Out of memory."));
  await changeRun(project, run!, { reason: null });
  expect(await summary()).toBeNull();
  // What somebody else said has no words of ours.
  await stage(project, () => Promise.reject(new LeafError("failed", quoted("boom")))).catch(() => {});
  expect((await listRuns(project))[0]).toMatchObject({ reason: "boom" });
  expect((await listRuns(project))[0]).not.toHaveProperty("reasonWords");
});

test("runs that a former version left as running have ended, and one with a forged key leads nowhere", async () => {
  const project = liveProject(temporaryFolder());
  const former = await runFor(project, {});
  expect(await states(project)).toEqual(["r1 cancelled"]);
  expect(await reasonOf(project)).toBe("It was stopped before its first stage was done.");
  await changeRun(project, former, { state: "running", working: { stage: "distill", key: "../../../etc" } });
  expect(await states(project)).toEqual(["r1 failed"]);
});

test("what two processes record of one run is all kept", async () => {
  const project = liveProject(temporaryFolder());
  const [one, two] = [await runFor(project, {}), await runFor(project, {})];
  await beginStage(project, one, "distill", "abc");
  await recordStage(project, two, "label", entry);
  await recordStage(project, one, "distill", entry);
  await changeRun(project, two, { distilledEvaluation: "e1" });
  await recordFailure(project, one, new Error("later"));
  expect(await listRuns(project)).toMatchObject([
    { stages: { label: entry, distill: entry }, distilledEvaluation: "e1", state: "failed", reason: "later" },
  ]);
});

test("processes that begin at once share one run, and lose nothing that they record", async () => {
  const project = liveProject(temporaryFolder());
  const stages = ["label", "distill", "calibrate", "evaluate"];
  const children = stages.map((name) =>
    nodeChild(
      `const { runFor, recordStage } = await import(engine + "/pipeline/runs.ts");
      const project = ${JSON.stringify(project)};
      process.stdin.once("data", async () => {
        const run = await runFor(project, {});
        await recordStage(project, run, ${JSON.stringify(name)}, { key: "k", seconds: 1, result: {} });
        console.log(run.id); process.exit();
      });
      console.log("ready");`,
    ),
  );
  await Promise.all(children.map((child) => child.line()));
  for (const { child } of children) child.stdin!.write("go\n");
  expect(await Promise.all(children.map((child) => child.line()))).toEqual(["r1", "r1", "r1", "r1"]);
  const [run, ...others] = await listRuns(project);
  expect(others).toEqual([]);
  expect(Object.keys(run!.stages).sort()).toEqual([...stages].sort());
});

test("a list of runs that is read again and again shows what others write, and what one caller changes is seen by no other", async () => {
  const project = liveProject(temporaryFolder());
  const run = await runFor(project, { distill: "abc" });
  await recordStage(project, run, "distill", entry);
  const file = path.join(project.runs, "r1", "run.json");
  const long = Date.now() + 60_000;
  vi.spyOn(Date, "now").mockImplementation(() => long);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const [first] = await listRuns(project);
  first!.state = "failed";
  first!.stages = {};
  const again = await listRuns(project);
  // Unchanged, so not read: the very config that was read before.
  expect(again[0]).toMatchObject({ state: "done", stages: { distill: entry } });
  expect(again[0]!.config).toBe(first!.config);
  // In place, with the same number of bytes, by a program that is not LEAF.
  const before = readFileSync(file, "utf8");
  writeFileSync(file, before.replace('"seconds": 1', '"seconds": 7'));
  expect((await listRuns(project))[0]!.stages.distill!.seconds).toBe(7);
  await changeRun(project, (await listRuns(project))[0]!, { state: "cancelled" });
  expect(await states(project)).toEqual(["r1 cancelled"]);
  // A secret that becomes known later is cut out of what was read before.
  writeFileSync(file, before.replace('"config": {', '"config": { "note": "a long phrase",'));
  const noted = async () => ((await listRuns(project))[0]!.config as { note?: string }).note;
  expect(await noted()).toBe("a long phrase");
  knowSecrets(["a long phrase"]);
  onTestFinished(forgetSecrets);
  expect(await noted()).toBe("…");
  writeFileSync(file, "{");
  expect(await listRuns(project)).toEqual([]);
});
