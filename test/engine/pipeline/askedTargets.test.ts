import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished, vi } from "vitest";
import { openProject, type Project } from "../../../src/engine/config/project.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { cleanStages } from "../../../src/engine/pipeline/clean.ts";
import { withPlan } from "../../../src/engine/pipeline/plan/plan.ts";
import type { DistillPlan } from "../../../src/engine/pipeline/plan/types.ts";
import { stageDir } from "../../../src/engine/pipeline/stage.ts";
import { distillStage } from "../../../src/engine/pipeline/stages/distill.ts";
import { labelStage } from "../../../src/engine/pipeline/stages/label.ts";
import { dryRunLabels, estimateLabels } from "../../../src/engine/pipeline/stages/labelPreview.ts";
import { pipelineStatus } from "../../../src/engine/pipeline/status.ts";
import { teacherReliability } from "../../../src/engine/views/teacherReliability.ts";
import { trainerJob } from "../../../src/protocol/schema/trainer.ts";
import { type ChatRequest, completion, picturesIn, startChatServer } from "../../support/chatServer.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

const images = 12;
const two = "{ quality: mos, aesthetics: beauty }";
const aboutBeauty = (request: ChatRequest) => JSON.stringify(request.messages).includes("beautiful");

/** The teacher finds each image good, and ugly: a beauty of 2, a quality of 4. */
async function server() {
  const started = await startChatServer((request) => {
    const beauty = aboutBeauty(request);
    if (picturesIn(request).length === 2) return completion(beauty ? { A: 0.3, B: 0.7 } : { A: 0.9, B: 0.1 });
    const [sure, rest] = [0.9, 0.025];
    const p = { excellent: rest, good: rest, fair: rest, poor: rest, bad: rest };
    return completion({ ...p, [beauty ? "poor" : "good"]: sure });
  });
  onTestFinished(() => started.close());
  return started;
}

async function world(url: string, score = two, { teacher = "", root = temporaryFolder() } = {}) {
  if (!existsSync(path.join(root, "photos"))) {
    mkdirSync(path.join(root, "photos"));
    for (let i = 0; i < images; i++)
      writeFileSync(path.join(root, "photos", `${i}.png`), await picture(40, 30, i).png().toBuffer());
    const rows = Array.from({ length: images }, (_, i) => `${i}.png,${1 + (i % 5)},${5 - (i % 5)},${i % 4}`);
    writeFileSync(path.join(root, "mos.csv"), `image,mos,beauty,dots\n${rows.join("\n")}\n`);
  }
  const config = path.join(root, "leaf.yaml");
  writeFileSync(
    config,
    `images: photos
mos: { file: mos.csv, score: ${score} }
split: { test: 0.25, val: 0.25 }
teacher: { kind: openai, endpoint: "${url}", model: m${teacher} }
label: { pairsPerImage: 2 }
student: { model: atto, input: { resize: null, crop: 24 } }
`,
  );
  return openProject(config);
}

async function distillPlan(project: Project): Promise<DistillPlan> {
  const catalog = await openCatalog(project);
  onTestFinished(() => catalog.close());
  return withPlan(project, catalog, (plan) => plan.distill());
}

it("asks for each target with its own question, keeps the answers apart, and hands both to the trainer", async () => {
  const chat = await server();
  const project = await world(chat.url);
  const { missing } = await estimateLabels(project);
  const before = chat.requests.length;
  const result = await labelStage(project, {});
  const [own] = result.targets!;
  expect(own).toMatchObject({
    name: "aesthetics",
    points: result.points,
    pairs: { labelled: result.pairs.labelled },
  });
  expect(result.points).toEqual({ labelled: 9, reused: 0, failed: 0 });
  // Both are asked about the three test images as well, to be compared with people.
  expect(missing).toMatchObject({ points: 24, pairs: 2 * result.pairs.labelled });
  expect(result.spent!.requests).toBe(chat.requests.length - before);
  const plan = await distillPlan(project);
  const [target] = plan.targets;
  const store = openLabels(project.labelsFile);
  const scores = (teacher: string) =>
    new Set(
      store
        .ownScores(teacher)
        .values()
        .map((s) => s.toFixed(2)),
    );
  // 4 × 0.9 + 0.025 × (5 + 3 + 2 + 1), and the same of poor.
  expect([...scores(plan.label.teacher)]).toEqual([(3.6 + 0.025 * 11).toFixed(2)]);
  expect([...scores(target!.label.teacher)]).toEqual([(1.8 + 0.025 * 13).toFixed(2)]);
  // A person's word is of the main target.
  const [image] = plan.label.needs.train;
  store.overridePoint(image!, 1);
  store.close();
  // What it is told is all that is looked at here.
  vi.stubEnv("LEAF_PYTHON", "/bin/false");
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(distillStage(project)).rejects.toThrow("Training ended early");
  const [key] = readdirSync(path.join(project.stages, "distill"));
  const dir = stageDir(project, "distill", key!);
  const job = trainerJob.parse(JSON.parse(readFileSync(path.join(dir, "job.json"), "utf8")));
  expect(job.targets).toEqual([
    { name: "aesthetics", labels: path.join(dir, "labels-1.sqlite"), temperature: target!.temperature },
  ]);
  const learnt = (name: string) => {
    const db = new DatabaseSync(path.join(dir, name), { readOnly: true });
    try {
      return {
        points: db
          .prepare("SELECT round(score, 2) AS s, count(*) AS n FROM points GROUP BY s ORDER BY s")
          .all(),
        p: db.prepare("SELECT count(*) AS n FROM pairs").get()!.n,
      };
    } finally {
      db.close();
    }
  };
  expect(learnt("labels.sqlite").points.map(({ s, n }) => [s, n])).toEqual([
    [1, 1],
    [3.88, 8],
  ]);
  expect(learnt("labels-1.sqlite").points.map(({ s, n }) => [s, n])).toEqual([[2.13, 9]]);
  // Both orders say the same letter: no preference of either is left, and none weighs anything.
  expect([learnt("labels.sqlite").p, learnt("labels-1.sqlite").p]).toEqual([0, 0]);
});

it("a label stage is that of all questions; a target without one changes nothing", async () => {
  const chat = await server();
  const plain = await distillPlan(await world(chat.url, "mos"));
  const root = temporaryFolder();
  const unasked = await distillPlan(await world(chat.url, "{ quality: mos, dots: dots }", { root }));
  expect(unasked.targets).toEqual([]);
  expect([unasked.label.inputs, unasked.key]).toEqual([plain.label.inputs, plain.key]);
  const asked =
    ", prompts: { targets: { dots: { point: 'How dotted? {words}', pair: 'Which has more dots?' } } }";
  const project = await world(chat.url, "{ quality: mos, dots: dots }", { root, teacher: asked });
  const own = await distillPlan(project);
  expect(own.targets.map(({ name }) => name)).toEqual(["dots"]);
  expect(own.label.teacher).toBe(plain.label.teacher);
  expect(own.label.key).not.toBe(plain.label.key);
  const other = await distillPlan(
    await world(chat.url, "{ quality: mos, dots: dots }", {
      root,
      teacher: asked.replace("dotted", "spotted"),
    }),
  );
  expect(other.label.key).not.toBe(own.label.key);
  expect(other.targets[0]!.label.teacher).not.toBe(own.targets[0]!.label.teacher);
});

it("what a run stands on stays, and another question makes it stale", async () => {
  const chat = await server();
  const asked = ", prompts: { targets: { dots: { question: aesthetics } } }";
  const project = await world(chat.url, "{ quality: mos, dots: dots }", { teacher: asked });
  await labelStage(project, {});
  const questions = chat.requests.length;
  expect((await cleanStages(project, false)).removed).toEqual([]);
  expect(readdirSync(path.join(project.stages, "label"))).toHaveLength(2);
  const [label] = (await pipelineStatus(project)).stages;
  expect(label!.state).toBe("fresh");
  await labelStage(project, {});
  expect(chat.requests.length).toBe(questions);
  const changed = await world(chat.url, "{ quality: mos, dots: dots }", {
    root: project.root,
    teacher: asked.replace("aesthetics", "quality"),
  });
  const [stale] = (await pipelineStatus(changed)).stages;
  expect(stale).toMatchObject({ state: "stale", reason: { kind: "changed" } });
  expect(JSON.stringify(stale!.reason)).toContain("teacher.prompts.targets.dots.question");
});

it("one limit holds for all questions, and is told as a whole", async () => {
  const chat = await server();
  const project = await world(chat.url, two, { teacher: ", limit: { requests: 40 }, concurrency: 1" });
  await expect(labelStage(project, {})).rejects.toThrow(/limit of 40 requests is reached: 40 requests/);
  expect(chat.requests.length).toBeLessThanOrEqual(41);
  expect(chat.requests.some((one) => !aboutBeauty(one) && picturesIn(one).length > 0)).toBe(true);
});

it("a dry run and reliability are of one target, of its own question and its own scores", async () => {
  const chat = await server();
  const project = await world(chat.url, two, { teacher: ", limit: { requests: 500 }" });
  const run = await dryRunLabels(project, 1, { target: "aesthetics" });
  expect(run.questions.every(({ prompt }) => prompt.includes("beautiful"))).toBe(true);
  const main = await dryRunLabels(project, 1, { target: "quality" });
  expect(main.questions.every(({ prompt }) => prompt.includes("quality"))).toBe(true);
  await expect(dryRunLabels(project, 1, { target: "dots" })).rejects.toThrow("There is no target dots.");
  await labelStage(project, {});
  const [quality, beauty] = [
    await teacherReliability(project),
    await teacherReliability(project, { target: "aesthetics" }),
  ];
  expect(beauty.teacher).not.toBe(quality.teacher);
  expect([quality.points!.n, beauty.points!.n]).toEqual([6, 6]);
});
