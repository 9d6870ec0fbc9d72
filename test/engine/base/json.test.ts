import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { onDamagedFile } from "../../../src/engine/base/damage.ts";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { checkedId, inside } from "../../../src/engine/base/ids.ts";
import { parseAs, readJsonAs, readJsonNow } from "../../../src/engine/base/json.ts";
import type { Project } from "../../../src/engine/config/project.ts";
import { listExperiments } from "../../../src/engine/experiments/list.ts";
import { readResultFile } from "../../../src/engine/experiments/result.ts";
import { jobDir, newestJob, readAttachment, readRequest } from "../../../src/engine/jobs/files.ts";
import { cleanStages } from "../../../src/engine/pipeline/clean.ts";
import { findCurrentStudent } from "../../../src/engine/pipeline/currentStudent.ts";
import {
  findRun,
  pinRun,
  runConfigText,
  runCurves,
  summariseRuns,
} from "../../../src/engine/pipeline/runSummaries.ts";
import { listRuns, recordStage, runDir, runFor } from "../../../src/engine/pipeline/runs.ts";
import { isFinished, readResult, stageDir } from "../../../src/engine/pipeline/stage.ts";
import { parseMessage } from "../../../src/engine/pipeline/trainer.ts";
import { readRatingState } from "../../../src/engine/ratings/proposal.ts";
import { currentScorer } from "../../../src/engine/scoring/currentScorer.ts";
import { scorerReply } from "../../../src/engine/scoring/messages.ts";
import { heatFiles, pictureFile } from "../../../src/engine/scoring/pictureFiles.ts";
import { readState, usersOf } from "../../../src/engine/teachers/serve/files.ts";
import { listServers } from "../../../src/engine/teachers/serve/list.ts";
import { parseTeacherMessage } from "../../../src/engine/teachers/transformers/messages.ts";
import { stageNames } from "../../../src/protocol/results.ts";
import { jobEvent } from "../../../src/protocol/schema/jobs.ts";
import { liveProject } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const key = "0123456789abcdef";
const hash = "0".repeat(32);

function write(file: string, content: unknown): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

/** A project as LEAF leaves it, a document of each kind in it. */
async function whole(): Promise<{ project: Project; files: Record<string, string> }> {
  const project = liveProject(temporaryFolder());
  const run = await runFor(project, {});
  await recordStage(project, run, "distill", {
    key,
    seconds: 1,
    result: {
      run: "r1",
      student: "student.onnx",
      durationS: 1,
      reused: false,
      teacherAgreement: { n: 3, srcc: 0.5, plcc: null },
    },
  });
  const at = new Date().toISOString();
  const job = {
    v: 1,
    id: "abc-0123ab",
    kind: "label",
    configFile: project.configFile,
    started: at,
    pid: null,
    patienceMs: 1,
  };
  const server = {
    ...{
      v: 1,
      key,
      attempt: "0123",
      phase: "stopped",
      model: "m",
      program: "p",
      endpoint: "",
      port: 0,
      pid: null,
    },
    ...{
      identity: null,
      supervisor: 1_999_999,
      supervisorIdentity: null,
      started: at,
      ready: null,
      idleSince: null,
    },
    ...{ idleMinutes: 1, restarts: 0, note: null, failure: null },
  };
  const figures = {
    n: 3,
    srcc: 0.5,
    plcc: 0.5,
    plccLogistic: null,
    krcc: 0.1,
    rmse: 1,
    ci95: { srcc: [0, 1], plcc: null },
  };
  const means = Object.fromEntries(
    ["srcc", "plcc", "plccLogistic", "krcc", "rmse"].map((name) => [name, null]),
  );
  const trial = {
    seed: 0,
    state: "done",
    reason: null,
    run: "r1",
    evaluated: "distill",
    key,
    ratings: 0,
    metrics: figures,
  };
  const arm = {
    name: "a",
    settings: { "distill.epochs": "1" },
    stage: "distill",
    trials: [trial],
    ratings: 0,
    means,
    versus: null,
  };
  const experiment = {
    ...{
      v: 1,
      name: "x",
      file: "x.experiment.yaml",
      base: "leaf.yaml",
      key,
      updated: at,
      stage: "distill",
      seeds: [0],
    },
    ...{
      resplit: false,
      report: ["srcc"],
      compare: null,
      bootstrap: 100,
      done: 1,
      failed: 0,
      total: 1,
      arms: [arm],
      paper: null,
    },
  };
  const student = JSON.parse(
    readFileSync(path.join(import.meta.dirname, "../../fixtures/student/student.json"), "utf8"),
  );
  const leaf = project.leaf;
  const stage = (name: string) => path.join(leaf, "stages", name, key);
  writeFileSync(path.join(project.root, "x.experiment.yaml"), "arms: { a: {} }\n");
  write(path.join(stage("distill"), "student.onnx"), "");
  write(
    path.join(stage("distill"), "metrics.jsonl"),
    `${JSON.stringify({ v: 1, type: "metrics", epoch: 1, step: 1, loss: 1, parts: {}, lr: 1, val: null, imagesPerS: 1 })}\n`,
  );
  const files = {
    run: path.join(leaf, "runs", "r1", "run.json"),
    job: write(path.join(leaf, "jobs", job.id, "job.json"), job),
    attached: write(path.join(leaf, "jobs", job.id, "attached.json"), { mode: "attached", at: 1 }),
    server: write(path.join(leaf, "servers", key, "server.json"), server),
    user: write(path.join(leaf, "servers", key, "users", "u.json"), {
      pid: 1_999_999,
      at: 1,
      startMinutes: 1,
      idleMinutes: 1,
    }),
    pins: write(path.join(leaf, "pins.json"), { v: 1, runs: ["r1"] }),
    rating: write(path.join(leaf, "ratings", "leaf.yaml.json"), {
      v: 1,
      train: [hash],
      test: [],
      history: [{ hash, path: "a.png", rating: 3, before: null }],
      takenBack: [],
    }),
    experiment: write(path.join(leaf, "experiments", "x", "result.json"), experiment),
    label: write(path.join(stage("label"), "result.json"), {
      images: 1,
      points: {},
      pairs: {},
      teacher: "t",
    }),
    distill: write(path.join(stage("distill"), "result.json"), {
      durationS: 1,
      teacherAgreement: { n: 1, srcc: null, plcc: null },
    }),
    calibrate: write(path.join(stage("calibrate"), "result.json"), {
      durationS: 1,
      images: 1,
      headOnly: false,
    }),
    evaluate: write(path.join(stage("evaluate"), "result.json"), {
      ...figures,
      split: "test",
      student: "distill",
      failed: 0,
      seconds: 1,
    }),
    student: write(path.join(stage("distill"), "student.json"), student),
    curve: path.join(stage("distill"), "metrics.jsonl"),
  };
  return { project, files };
}

/** Everything that reads these documents. */
async function readAll(project: Project): Promise<void> {
  const runs = await listRuns(project);
  await currentScorer(project, runs, "embedded");
  for (const { id } of await summariseRuns(project, await listRuns(project))) {
    await runConfigText(project, id);
    await runCurves(project, id);
  }
  await findCurrentStudent(project).catch(onlyLeaf);
  for (const stage of stageNames) if (isFinished(project, stage, key)) await readResult(project, stage, key);
  await newestJob(project);
  await readAttachment(path.join(project.leaf, "jobs", "abc-0123ab"));
  await listServers(path.join(project.leaf, "servers"));
  await usersOf(path.join(project.leaf, "servers", key));
  await readRatingState(project);
  await listExperiments(project.root);
  await readResultFile(project.root, "x");
  await pinRun(project, "r1", true).catch(onlyLeaf);
  await cleanStages(project, false).catch(onlyLeaf);
}

function onlyLeaf(error: unknown): void {
  if (!(error instanceof LeafError)) throw error;
}

function damages(): string[] {
  const told: string[] = [];
  const listening = onDamagedFile((sentence) => told.push(sentence));
  onTestFinished(() => listening.dispose());
  return told;
}

describe("documents under .leaf", () => {
  it("are read as LEAF writes them, without a word", async () => {
    const told = damages();
    const { project } = await whole();
    expect(
      (await summariseRuns(project, await listRuns(project))).map(({ id, pinned }) => [id, pinned]),
    ).toEqual([["r1", true]]);
    expect((await newestJob(project))?.request.id).toBe("abc-0123ab");
    expect((await listServers(path.join(project.leaf, "servers"))).map((one) => one.key)).toEqual([key]);
    expect((await readRatingState(project)).history).toHaveLength(1);
    expect((await readResultFile(project.root, "x"))?.arms).toHaveLength(1);
    expect(stageNames.map((stage) => isFinished(project, stage, key))).toEqual([true, true, true, true]);
    expect((await currentScorer(project, await listRuns(project), "embedded")).kind).toBe("student");
    expect((await runCurves(project, "r1")).distill).toHaveLength(1);
    expect(told).toEqual([]);
  });

  it("of other ids than their folder's, or whose ids lead elsewhere, are told once and passed over", async () => {
    const told = damages();
    const { project, files } = await whole();
    const outside = path.join(project.root, "outside");
    const run = JSON.parse(readFileSync(files.run!, "utf8"));
    const forged: [string, object][] = [
      ["r2", { ...run, id: "../../../outside" }],
      ["r3", { ...run, id: "r3", stages: { distill: { ...run.stages.distill, key: "../../../../stu/ok" } } }],
      ["r4", { ...run, id: "r4", distilledEvaluation: ".." }],
      ["r5", { ...run, id: "r5", configFile: "../../../etc/passwd" }],
      ["r6", { ...run, id: "r1" }],
      ["r7", { ...run, id: "r7", state: "evil" }],
      ["r8", { ...run, id: "r8", created: "then" }],
    ];
    for (const [name, record] of forged) write(path.join(project.runs, name, "run.json"), record);
    for (let look = 0; look < 2; look++)
      expect((await listRuns(project)).map(({ id }) => id)).toEqual(["r1"]);
    expect(told).toHaveLength(forged.length);
    for (const [name] of forged)
      expect(
        told.filter((one) => one.includes(`${path.sep}${name}${path.sep}run.json is passed over: `)),
      ).toHaveLength(1);
    for (const [name] of forged)
      await expect(findRun(project, name)).rejects.toThrow(`There is no run ${name}.`);
    // A new run goes beside them, never into one.
    const next = await runFor({ ...project, config: { ...project.config, images: "other" } }, {});
    expect(Number(next.id.slice(1))).toBeGreaterThan(8);
    write(files.job!, { ...JSON.parse(readFileSync(files.job!, "utf8")), id: "../../../outside" });
    expect(await newestJob(project)).toBeUndefined();
    write(files.server!, {
      ...JSON.parse(readFileSync(files.server!, "utf8")),
      endpoint: "http://evil.example/v1",
    });
    expect(await listServers(path.join(project.leaf, "servers"))).toEqual([]);
    write(files.pins!, { v: 1, runs: ["../../outside"] });
    expect((await summariseRuns(project, await listRuns(project))).some(({ pinned }) => pinned)).toBe(false);
    expect(() => readdirSync(outside)).toThrow();
  });

  it("in links that lead out of .leaf are none, and nothing is written or removed there", async () => {
    const { project, files } = await whole();
    const outside = temporaryFolder();
    const run = JSON.parse(readFileSync(files.run!, "utf8"));
    write(path.join(outside, "run", "run.json"), { ...run, id: "r2" });
    write(path.join(outside, "stage", "keep.txt"), "mine");
    symlinkSync(path.join(outside, "run"), path.join(project.runs, "r2"));
    symlinkSync(path.join(outside, "stage"), path.join(project.stages, "distill", "feed"));
    symlinkSync(outside, path.join(project.leaf, "jobs", "abd-0123ab"));
    expect((await listRuns(project)).map(({ id }) => id)).toEqual(["r1"]);
    expect(() => runDir(project, "r2")).toThrow(/is a link that leads out of \.leaf/);
    expect(() => stageDir(project, "distill", "feed")).toThrow(/is a link that leads out of \.leaf/);
    expect(() => jobDir(project, "abd-0123ab")).toThrow(/is a link that leads out of \.leaf/);
    expect((await newestJob(project))?.request.id).toBe("abc-0123ab");
    rmSync(path.join(project.runs, "r2"));
    await cleanStages(project, false);
    expect(readFileSync(path.join(outside, "stage", "keep.txt"), "utf8")).toBe("mine");
    // .leaf itself may lie on another disk.
    const moved = temporaryFolder();
    symlinkSync(moved, path.join(temporaryFolder(), ".leaf"));
    expect(inside(moved, "runs", "r1")).toBe(path.join(moved, "runs", "r1"));
  });

  it("name nothing outside: ids are checked wherever they become a path", async () => {
    const { project } = await whole();
    const odd = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "..",
        "r0",
        "r1/../../x",
        "r-1",
        "r1e9",
        "r1\n",
        "a/b",
        "a\\b",
        "\0",
        "",
        ".",
        "con",
        "r1 ",
        "R1",
      ),
      fc.anything(),
    );
    fc.assert(
      fc.property(odd, (id) => {
        for (const make of [
          () => runDir(project, id as string),
          () => jobDir(project, id as string),
          () => stageDir(project, "distill", id as string),
          () => pictureFile(project.cache, id as string, "small"),
          () => heatFiles(project.cache, id as string, "x").figures,
          () => pictureFile(project.cache, hash, id as "small"),
        ]) {
          let made: string;
          try {
            made = make();
          } catch (error) {
            expect(error).toBeInstanceOf(LeafError);
            continue;
          }
          expect(path.relative(project.leaf, made)).toMatch(
            /^(runs|jobs|stages|cache)[\\/][\w-]+([\\/][\w.-]+)*$/,
          );
        }
      }),
      { numRuns: 300 },
    );
    expect(() => checkedId("run", "..")).toThrow('".." does not name a run.');
  });

  it("may be pipes, devices, folders, loops of links and gigabytes: that is told, and is no hang", async () => {
    const dir = temporaryFolder();
    const told = damages();
    const schema = z.unknown();
    const file = (name: string) => path.join(dir, name);
    mkdirSync(file("folder"));
    symlinkSync(file("loop"), file("loop"));
    writeFileSync(file("big"), "0".repeat(101));
    writeFileSync(file("deep"), `${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    const odd = ["folder", "loop", "big", "deep"];
    if (process.platform !== "win32") {
      execFileSync("mkfifo", [file("pipe")]);
      symlinkSync("/dev/zero", file("device"));
      odd.push("pipe", "device");
    }
    for (const name of odd) {
      const limits = name === "big" ? { maxBytes: 100 } : {};
      expect(await readJsonAs(file(name), schema, limits), name).toBeUndefined();
      expect(readJsonNow(file(name), schema, limits), name).toBeUndefined();
    }
    expect(told.map((one) => path.basename(one.split(" is passed over")[0]!)).sort()).toEqual(
      [...odd].sort(),
    );
    expect(await readJsonAs(file("none"), schema)).toBeUndefined();
    expect(told).toHaveLength(odd.length);
  });

  /** A document with some of it cut, doubled, or put in another kind's place. */
  const anything = fc.oneof(
    fc.anything({ withNullPrototype: false }),
    fc.constantFrom<unknown>(
      null,
      "..",
      -1,
      1e308,
      [],
      {},
      "\x1b[2J",
      "x".repeat(50_000),
      Number.MAX_SAFE_INTEGER,
      true,
    ),
  );
  function mutated(text: string, picks: [number, unknown, boolean][]): string {
    const value: unknown = JSON.parse(text);
    for (const [pick, by, remove] of picks) {
      const places: [Record<string, unknown>, string][] = [];
      const visit = (one: unknown) => {
        if (one === null || typeof one !== "object") return;
        for (const [name, part] of Object.entries(one)) {
          places.push([one as Record<string, unknown>, name]);
          visit(part);
        }
      };
      visit(value);
      if (places.length === 0) break;
      const [at, name] = places[pick % places.length]!;
      if (remove) delete at[name];
      else at[name] = by;
    }
    return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one)) ?? "";
  }
  const picks = fc.array(fc.tuple(fc.nat(), anything, fc.boolean()), { minLength: 1, maxLength: 3 });

  it("that were changed anyhow crash nothing, and nothing is written outside", async () => {
    const { project, files } = await whole();
    const originals = Object.entries(files).map(([name, file]) => ({
      name,
      file,
      text: readFileSync(file, "utf8"),
    }));
    const around = () => readdirSync(path.dirname(project.root)).filter((name) => name === "outside");
    await fc.assert(
      fc.asyncProperty(fc.nat(), picks, fc.option(fc.nat()), async (which, changes, cut) => {
        const { file, text } = originals[which % originals.length]!;
        const changed = mutated(text, changes);
        write(file, cut === null ? changed : changed.slice(0, cut % (changed.length + 1)));
        try {
          await readAll(project);
        } finally {
          for (const one of originals) write(one.file, one.text);
        }
      }),
      { numRuns: 50 },
    );
    expect(around()).toEqual([]);
    expect((await listRuns(project)).map(({ id }) => id)).toEqual(["r1"]);
  }, 60_000);
});

describe("lines of a protocol", () => {
  const trainer = [
    { v: 1, type: "hello", python: "3", torch: "2", device: "cpu", deviceName: "", worldSize: 1, amp: "off" },
    { v: 1, type: "progress", phase: "train", epoch: 1, epochs: 2, step: 1, steps: 2, imagesPerS: 3.5 },
    {
      v: 1,
      type: "metrics",
      epoch: 1,
      step: 1,
      loss: 0.1,
      parts: { point: 1 },
      lr: 0.1,
      val: { n: 1, srcc: 0.1, plcc: null },
      imagesPerS: 1,
    },
    { v: 1, type: "checkpoint", epoch: 1, path: "x" },
    { v: 1, type: "error", code: "oom", message: "m", remedy: null },
    {
      ...{ v: 1, type: "done", epochs: 1, bestEpoch: 1, durationS: 1, onnx: "x", exportMaxDifference: 0 },
      ...{
        val: null,
        parameters: 1,
        domain: { threshold: 1, quantile: 0.9, fitted: 1, heldOut: 1, shrinkage: 0 },
        levels: {
          dim: 5,
          eps: 1e-6,
          parts: [{ name: "level_0", channels: 5, stride: 4, mean: 0, sd: null }],
        },
      },
    },
  ];

  it("are messages where they fit, and nothing otherwise", () => {
    for (const message of trainer) expect(parseMessage(JSON.stringify(message))).toEqual(message);
    for (const wrong of [
      { v: 1, type: "done" },
      { v: 1, type: "evil" },
      { ...trainer[1], epoch: "1" },
      { ...trainer[2], parts: [] },
      { ...trainer[4], message: 5 },
      { ...trainer[5], durationS: null },
      { ...trainer[0], v: 2 },
    ])
      expect(parseMessage(JSON.stringify(wrong)), JSON.stringify(wrong)).toBeUndefined();
  });

  it("of any content throw nothing, and give only what fits", () => {
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((one) => `{"v":1,"type":"progress","epoch":${one}}`),
      fc
        .tuple(fc.constantFrom(...trainer), fc.string(), fc.jsonValue())
        .map(([message, name, value]) => JSON.stringify({ ...message, [name]: value })),
      fc.tuple(fc.constantFrom(...trainer), fc.nat(), fc.jsonValue()).map(([message, at, value]) => {
        const names = Object.keys(message);
        return JSON.stringify({ ...message, [names[at % names.length]!]: value });
      }),
    );
    fc.assert(
      fc.property(line, (text) => {
        const message = parseMessage(text);
        if (message?.type === "progress") expect(Number.isSafeInteger(message.steps)).toBe(true);
        if (message?.type === "done") expect(Number.isFinite(message.durationS)).toBe(true);
        parseTeacherMessage(text);
        const event = parseAs(text, jobEvent);
        if (event.ok) expect(Number.isFinite(event.value.at)).toBe(true);
        expect(typeof scorerReply.safeParse(text).success).toBe("boolean");
      }),
      { numRuns: 500 },
    );
    expect(
      scorerReply.safeParse({
        id: 1,
        ok: true,
        row: { hash, score: Number.NaN, probabilities: null, confidence: null },
      }).success,
    ).toBe(false);
  });
});

it("a folder without its project's own file is no job, and a state that is none is no server", async () => {
  const dir = temporaryFolder();
  expect(await readRequest(dir)).toBeUndefined();
  expect(await readState(dir)).toBeUndefined();
});
