import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CheckResult } from "../../src/engine/dataset/check.ts";
import type { ScoreResult } from "../../src/engine/scoring/score.ts";
import type { ErrorDocument } from "../../src/protocol/errors.ts";
import type { FailureSummary, ItemFailure } from "../../src/protocol/failures.ts";
import type { LabelResult } from "../../src/protocol/results.ts";
import {
  type ChatServer,
  completion,
  goodAnswer,
  picturesIn,
  startChatServer,
} from "../support/chatServer.ts";
import { config, leaf, leafJson, makeWorkspace, temporaryFolder } from "./workspace.ts";

// What fails is told by file and reason, and the exit code says whether anything succeeded: the real command line, a server that
// refuses, files that are broken.
const { dir, remove } = temporaryFolder();
const student = path.resolve("test/fixtures/student");
const at = (...parts: string[]) => path.join(dir, ...parts);
const photos = 30;
let server: ChatServer;
let answers: "good" | "refusing" | "other words" | "refusing one" = "good";

interface Failing {
  failures?: FailureSummary;
  failed?: ItemFailure[];
}
interface Status {
  stages: { stage: string; state: string; why?: string; failures?: FailureSummary }[];
  problems: string[];
}

beforeAll(async () => {
  await makeWorkspace(dir, photos);
  let refused = "";
  server = await startChatServer((request, response) => {
    // The first questions are the probe's, which must find a teacher.
    const isProbe = server.requests.length <= 6;
    if (isProbe || answers === "good") return goodAnswer(request);
    if (answers === "other words") return completion({ analysis: 0.9, The: 0.1 });
    const [picture] = picturesIn(request);
    refused ||= picture ?? "";
    if (answers === "refusing one" && picture !== refused) return goodAnswer(request);
    response.writeHead(400).end(JSON.stringify({ error: { message: "image too small" } }));
    return undefined;
  });
});
beforeEach(() => {
  rmSync(at(".leaf"), { recursive: true, force: true });
  answers = "good";
  server.requests.length = 0;
});
afterAll(async () => {
  await server.close();
  remove();
});

function configure(text: string): void {
  writeFileSync(at("leaf.yaml"), text);
}
const openai = (label = "label: { pairsPerImage: 2 }") =>
  configure(
    `images: photos\nsplit: { test: 0, val: 0 }\nteacher: { kind: openai, endpoint: "${server.url}", model: m, patience: 5, concurrency: 4 }\n${label}\n`,
  );

/** The one document of a command that must fail. */
async function failing<T = object>(code: number, ...args: string[]): Promise<ErrorDocument & Failing & T> {
  const told = await leaf(dir, ...args, "--json");
  expect(told.code, told.stderr).toBe(code);
  return JSON.parse(told.stdout);
}

describe("label", () => {
  it.each([
    ["refusing", /image too small/],
    ["other words", /of the answer is on the rating words/],
  ] as const)(
    "where every answer is %s: stops early, says why, and the stage has failed",
    async (how, why) => {
      openai("label: { pairsPerImage: 2, stopAfterFailures: 5 }");
      answers = how;
      const { error, failures, failed } = await failing(1, "label");
      expect(error.kind).toBe("failed");
      expect(error.message).toMatch(
        /^The teacher's first 5 answers about images all failed.* For example photos\/\w+\.png: /,
      );
      expect(error.message).toMatch(why);
      expect(error.remedy).toContain("label --dry-run 1");
      expect(server.requests.length).toBeLessThan(6 + 5 + 4 + 4);
      expect(failed!.length).toBe(failures!.total);
      for (const one of failed!)
        expect(one).toMatchObject({ kind: "point", reason: expect.stringMatching(why) });
      const { stages } = await leafJson<Status>(dir, "status");
      expect(stages[0]).toMatchObject({
        state: "failed",
        why: error.message,
        failures: { total: failures!.total },
      });
      // It goes on where it was, once the server is mended.
      answers = "good";
      const after = await leafJson<LabelResult>(dir, "label");
      expect(after.points).toMatchObject({ labelled: photos, failed: 0 });
      expect((await leafJson<Status>(dir, "status")).stages[0]).toMatchObject({ state: "fresh" });
      expect((await leafJson<Status>(dir, "status")).stages[0]).not.toHaveProperty("failures");
    },
  );

  it("some failed: exit 0 with their names, and `leaf run` asks no more about them", async () => {
    // No Python: a run ends after the labels.
    openai();
    answers = "refusing one";
    const { code, stderr, stdout } = await leaf(dir, "label", "--json");
    expect(code).toBe(0);
    const { points, failed } = JSON.parse(stdout) as LabelResult & { failed: ItemFailure[] };
    expect(points.failed).toBe(1);
    expect(failed.filter(({ kind }) => kind === "point")).toHaveLength(1);
    expect(stderr).toMatch(
      /warning: photos\/\w+\.png: the server refuses it \(HTTP 400: image too small\)\n/,
    );
    const { stages } = await leafJson<Status>(dir, "status");
    expect(stages[0]).toMatchObject({ state: "fresh", failures: { total: failed.length } });
    const before = server.requests.length;
    const python = process.env.LEAF_PYTHON;
    process.env.LEAF_PYTHON = at("nowhere", "python");
    const again = await leaf(dir, "run", "--json").finally(() => {
      if (python === undefined) delete process.env.LEAF_PYTHON;
      else process.env.LEAF_PYTHON = python;
    });
    expect(JSON.parse(again.stdout).error.kind).toBe("environment");
    expect(server.requests.length).toBe(before);
    expect(again.stderr).toContain("image too small");
  });
});

describe("one broken file among good ones", () => {
  const broken = () => {
    const whole = readFileSync(path.resolve("demo/photos/coffee.jpg"));
    writeFileSync(at("photos", "broken.jpg"), whole.subarray(0, 3000));
    configure("images: photos\nsplit: { test: 0, val: 0 }\n");
  };
  afterAll(() => rmSync(at("photos", "broken.jpg"), { force: true }));

  it("is named by label, score, heatmap, status and export", async () => {
    broken();
    const labelled = await leaf(dir, "label");
    expect([labelled.code, labelled.stderr]).toEqual([
      0,
      expect.stringContaining("warning: photos/broken.jpg: the JPEG data is truncated"),
    ]);
    const scored = await leaf(dir, "score", "--student", student, "photos");
    expect([scored.code, scored.stderr]).toEqual([
      0,
      expect.stringContaining("warning: photos/broken.jpg: the JPEG data is truncated"),
    ]);
    const strict = await leaf(dir, "score", "--student", student, "photos", "--strict", "--json");
    expect(strict.code).toBe(1);
    expect((JSON.parse(strict.stdout) as ScoreResult).scores).toHaveLength(photos);
    const heat = await failing(1, "heatmap", "--student", student, "photos/broken.jpg");
    expect(heat.error).toMatchObject({ kind: "input", message: expect.stringContaining("broken.jpg: ") });
    const status = await leaf(dir, "status");
    expect(status.stdout).toMatch(
      /label +fresh +1 failed: the JPEG data is truncated.*\(\.leaf.stages.label/,
    );
  });

  it("alone, score exits 1 with one document that has error, scores and failed", async () => {
    broken();
    const told = await failing<ScoreResult>(1, "score", "--student", student, "photos/broken.jpg");
    expect(told.error).toMatchObject({ kind: "failed", message: "The image could not be scored." });
    expect(told.scores).toEqual([]);
    expect(told.failed).toEqual([
      { image: "photos/broken.jpg", reason: expect.stringContaining("truncated") },
    ]);
  });
});

describe("every stage", () => {
  it("names what it leaves out, and the run's later stages are not silent", {
    timeout: 300_000,
  }, async () => {
    const whole = readFileSync(path.resolve("demo/photos/coffee.jpg"));
    const rows = readFileSync(at("mos.csv"), "utf8");
    const bad = Array.from({ length: 8 }, (_, i) => `bad${i}.jpg`);
    for (const [i, name] of bad.entries()) writeFileSync(at("photos", name), whole.subarray(0, 3000 + i));
    writeFileSync(at("all.csv"), `${rows}${bad.map((name) => `${name},3\n`).join("")}`);
    configure(config().replace("mos.csv", "all.csv"));
    try {
      const { code, stdout, stderr } = await leaf(dir, "run", "--json");
      expect(code, stderr).toBe(0);
      const done = JSON.parse(stdout) as Record<"label" | "distill" | "calibrate" | "evaluate", Failing>;
      const files = (stage: keyof typeof done) =>
        new Set(
          (done[stage].failures?.first ?? [])
            .filter(({ other }) => !other)
            .map(({ file }) => path.basename(file)),
        );
      expect(files("label")).toEqual(new Set(bad));
      const learnt = files("distill");
      const judged = files("evaluate");
      // Train and validation in one, the test split in the other, and nothing twice.
      expect(learnt.size).toBeGreaterThan(0);
      expect(judged.size).toBeGreaterThan(0);
      expect([...learnt, ...judged].sort()).toEqual(bad);
      for (const name of files("calibrate")) expect(learnt).toContain(name);
      for (const stage of ["label", "distill", "evaluate"])
        expect(stderr).toMatch(new RegExp(`^warning: ${stage}: \\d+ failed`, "m"));
      const { stages } = await leafJson<Status>(dir, "status");
      expect(stages.map(({ state }) => state)).toEqual(["fresh", "fresh", "fresh", "fresh"]);
      expect(stages[1]!.failures!.total).toBe(learnt.size);
      const exported = await leaf(dir, "export", "scores", "-o", "out/scores.csv", "--json");
      expect(exported.code).toBe(0);
      expect((JSON.parse(exported.stdout) as Failing).failed!.map(({ file }) => file).sort()).toEqual(
        bad.map((name) => `photos/${name}`),
      );
      expect(exported.stderr).toContain("warning: photos/bad0.jpg: the JPEG data is truncated");
      for (let turn = 0; turn < 2; turn++) {
        const selected = await leafJson<Failing>(dir, "select", "--strategy", "kcenter", "--all", "--n", "3");
        // Found the first time, remembered the second.
        const named = selected.failed!.map(({ file }) => path.basename(file));
        expect(named.length).toBeGreaterThan(0);
        for (const name of named) expect(learnt).toContain(name);
        expect(selected.failed![0]!.reason).toContain("truncated");
      }
    } finally {
      for (const name of bad) rmSync(at("photos", name));
    }
  });
});

describe("check", () => {
  it("fails where no run can end well, and lists every file and row", async () => {
    mkdirSync(at("odd"), { recursive: true });
    for (let i = 0; i < 15; i++) writeFileSync(at("odd", `${i}.png`), "no image");
    configure("images: odd\n");
    const none = await failing<CheckResult>(1, "check");
    expect(none.error).toMatchObject({
      kind: "input",
      message: expect.stringContaining("None of these files is a usable image."),
    });
    expect(none.failed).toHaveLength(15);
    const { code, stdout, stderr } = await leaf(dir, "check");
    expect(code).toBe(1);
    expect(stdout).toContain("0 images");
    expect(stdout).toContain("… and 5 more files that cannot be read");
    expect(stderr).toMatch(/^leaf: A problem keeps this project from running/m);

    const rows = Array.from({ length: 40 }, (_, i) => `nowhere${i}.png,3`);
    writeFileSync(at("odd.csv"), `image,mos\n${rows.join("\n")}\n`);
    configure("images: photos\nmos: { file: odd.csv, image: image, score: mos, range: [1, 5] }\n");
    const rowless = await failing<CheckResult>(1, "check");
    expect(rowless.error.message).toContain("40 rows of odd.csv cannot be used");
    expect(rowless.failed).toHaveLength(40);
    expect(rowless.failed![0]).toMatchObject({ kind: "row", file: "odd.csv", line: 2 });

    // Some rows and files are bad: a warning.
    writeFileSync(at("odd.csv"), `${readFileSync(at("mos.csv"), "utf8")}nowhere.png,3\n`);
    const some = await leafJson<CheckResult & Failing>(dir, "check");
    expect(some.errors).toEqual([]);
    expect(some.failed).toHaveLength(1);
  });
});

describe("status", () => {
  it("says what is no longer there, and never calls it fresh", async () => {
    configure("images: photos\nsplit: { test: 0, val: 0 }\n");
    await leafJson(dir, "label");
    const stage = async () => (await leafJson<Status>(dir, "status")).stages[0]!;
    expect((await stage()).state).toBe("fresh");
    const store = at(".leaf", "labels.sqlite");
    const kept = at("kept.sqlite");
    copyFileSync(store, kept);
    for (const suffix of ["-wal", "-shm"]) rmSync(store + suffix, { force: true });
    writeFileSync(store, "garbage");
    expect(await stage()).toMatchObject({ state: "failed", why: expect.stringContaining("labels.sqlite") });
    rmSync(store);
    expect(await stage()).toMatchObject({ state: "failed", why: expect.stringContaining("labels.sqlite") });
    copyFileSync(kept, store);
    expect((await stage()).state).toBe("fresh");
    const keys = at(".leaf", "stages", "label");
    writeFileSync(path.join(keys, readdirSync(keys)[0]!, "result.json"), '{"images": 3');
    expect((await stage()).state).not.toBe("fresh");
    expect(existsSync(at(".leaf", "runs", "r1", "run.json"))).toBe(true);
    writeFileSync(at(".leaf", "runs", "r1", "run.json"), "{");
    const { problems } = await leafJson<Status>(dir, "status");
    expect(problems).toEqual([expect.stringContaining("the run r1 is passed over")]);
  });
});

describe("--json of a command that fails", () => {
  it("is the error alone, for every kind", async () => {
    configure("images: [");
    expect((await failing(2, "status")).error).toMatchObject({ kind: "config", line: 1 });
    configure("images: photos\nsplit: { test: 0, val: 0 }\n");
    expect((await failing(2, "labels", "frobnicate")).error.kind).toBe("usage");
    expect((await failing(1, "score", "photos")).error).toMatchObject({
      kind: "failed",
      message: "leaf.yaml has no student yet.",
    });
    writeFileSync(at("a.csv"), "image,score\nx.png,1\n");
    writeFileSync(at("b.csv"), "image,mos\ny.png,1\n");
    const metrics = await failing(1, "metrics", "--predictions", "a.csv", "--truth", "b.csv");
    expect(metrics.error).toMatchObject({
      kind: "input",
      message: expect.stringContaining("no image in common"),
    });
  });
});
