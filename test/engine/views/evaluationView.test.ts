import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { seededRandom } from "../../../src/engine/base/random.ts";
import type { Project } from "../../../src/engine/config/project.ts";
import { teacherFor } from "../../../src/engine/config/questions.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { evaluateMetrics, logistic } from "../../../src/engine/metrics/agreement.ts";
import { studentToMos } from "../../../src/engine/mos/scale.ts";
import { withPlan } from "../../../src/engine/pipeline/plan/plan.ts";
import { changeRun, recordStage, runFor } from "../../../src/engine/pipeline/runs.ts";
import { stageDir } from "../../../src/engine/pipeline/stage.ts";
import { toCsv } from "../../../src/engine/tables/csvText.ts";
import { teacherFingerprint } from "../../../src/engine/teachers/createTeacher.ts";
import { type Browser, openBrowser } from "../../../src/engine/views/browse.ts";
import { evaluationKey, evaluationView } from "../../../src/engine/views/evaluationView.ts";
import { paperFigures } from "../../../src/engine/views/paperFigures.ts";
import type { Metrics } from "../../../src/protocol/results.ts";
import { hashOf, liveContext, liveProject, pointRow, putLabels, putScores } from "../../support/liveWorld.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

const mos = { file: "mos.csv", range: [0, 100] as [number, number] };
const random = seededRandom("evaluation view");
const rows = Array.from({ length: 40 }, (_, i) => ({
  image: `photos/${i}, "x".jpg`,
  hash: hashOf(i),
  score: 20 + i + 10 * random(),
  mos: 10 + 2 * i,
  group: "",
}));
const bootstrap = 50;

function metricsOf(values: { score: number; mos: number }[]) {
  return evaluateMetrics(
    Float64Array.from(values, (one) => one.score),
    Float64Array.from(values, (one) => one.mos),
    { bootstrap, seed: 0 },
  );
}

function writeEvaluation(project: Project, key: string, metrics: Metrics): void {
  const dir = stageDir(project, "evaluate", key);
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, "evaluation.json"), JSON.stringify(metrics));
  writeFileSync(
    path.join(dir, "predictions.csv"),
    toCsv(
      ["image", "hash", "score", "mos"],
      rows.map((row) => [row.image, row.hash, row.score, row.mos]),
    ),
  );
}

async function evaluated(): Promise<{ project: Project; browser: Browser }> {
  const project = liveProject(temporaryFolder(), { mos, evaluate: { bootstrap } });
  const run = await runFor(project, {});
  await recordStage(project, run, "distill", { key: "d1", seconds: 1, result: {} });
  const result = { run: run.id, split: "test", student: "calibrate", failed: 0, ...metricsOf(rows) };
  await recordStage(project, run, "evaluate", { key: "e1", seconds: 1, result });
  writeEvaluation(project, "e1", metricsOf(rows));
  const browser = openBrowser(project);
  onTestFinished(() => browser.close());
  browser.setContext(liveContext(project));
  return { project, browser };
}

describe("the evaluation", () => {
  it("shows what was written, with a fit that lies on the logistic", async () => {
    const { browser } = await evaluated();
    const view = (await evaluationView(browser))!;
    expect(view.points).toEqual(
      rows.map(({ image, group: _, ...row }) => ({ ...row, path: image, teacher: null })),
    );
    const { logistic: fit, ...metrics } = metricsOf(rows);
    expect(view.evaluation).toEqual({
      run: "r1",
      split: "test",
      student: "calibrate",
      failed: 0,
      ...metrics,
    });
    expect(view).toMatchObject({ run: "r1", range: [0, 100], paper: null });
    expect(view.fit).toHaveLength(64);
    for (const [x, y] of view.fit!) expect(y).toBeCloseTo(logistic(fit!, x), 9);
    expect(view.fit![0]![0]).toBe(Math.min(...rows.map((row) => row.score)));
    expect(view.fit!.at(-1)![0]).toBe(Math.max(...rows.map((row) => row.score)));
    expect(view.arms).toEqual([
      { name: "teacher", metrics: null },
      { name: "TGD", metrics: null },
      { name: "CFT", metrics },
    ]);
  });

  it("compares the teacher's own labels and the distilled student's scores on the MOS scale", async () => {
    const { project, browser } = await evaluated();
    expect((await evaluationView(browser))!.arms[0]!.metrics).toBeNull();
    const judged = rows.slice(0, 30).map((row, i) => ({ ...row, score: 1 + ((i * 7) % 11) / 3 }));
    putLabels(
      project,
      await teacherFingerprint(project.config.teacher, project.root),
      judged.map((row) => pointRow(row.hash, row.score)),
    );
    const distilled = rows.map((row, i) => ({ ...row, score: 1 + ((i * 3) % 17) / 4 }));
    putScores(
      project,
      "distill-d1",
      distilled.map((row) => [row.hash, row.score]),
    );
    const view = (await evaluationView(browser))!;
    const onScale = (all: typeof rows) => all.map((row) => ({ ...row, score: studentToMos(row.score, mos) }));
    const plain = ({ logistic: _, ...metrics }: ReturnType<typeof metricsOf>) => metrics;
    expect(view.points[3]!.teacher).toBe(studentToMos(judged[3]!.score, mos));
    expect(view.points[35]!.teacher).toBeNull();
    expect(view.arms[0]!.metrics).toEqual(plain(metricsOf(onScale(judged))));
    expect(view.arms[1]!.metrics).toEqual(plain(metricsOf(onScale(distilled))));
  });

  it("of another target shows its own teacher, labels and distilled student, on its own scale", async () => {
    const root = temporaryFolder();
    const noise = { column: "n", range: [0, 10] as [number, number], lowerIsBetter: true };
    const openai = { kind: "openai", endpoint: "http://127.0.0.1:1/v1", model: "m" };
    const question = { noise: { question: "aesthetics" } };
    const teacher = { ...openai, prompts: { targets: question } };
    const score = { quality: "mos", noise };
    const project = liveProject(root, { mos: { ...mos, score }, teacher, evaluate: { bootstrap } });
    const run = await runFor(project, {});
    const target = { name: "noise", range: noise.range, lowerIsBetter: true, ...metricsOf(rows) };
    const result = {
      run: run.id,
      split: "test",
      student: "calibrate",
      failed: 0,
      ...target,
      targets: [target],
    };
    const { logistic: _, ...distilled } = metricsOf(rows.map((row) => ({ ...row, score: row.score ** 2 })));
    await recordStage(project, run, "evaluate", { key: "e1", seconds: 1, result });
    await changeRun(project, run, { distilledEvaluation: "d1" });
    writeEvaluation(project, "e1", metricsOf(rows));
    const [main, other] = ["predictions.csv", "predictions-1.csv"].map((name) =>
      path.join(stageDir(project, "evaluate", "e1"), name),
    );
    renameSync(main!, other!);
    writeEvaluation(project, "e1", metricsOf(rows));
    mkdirSync(stageDir(project, "evaluate", "d1"), { recursive: true });
    const own = { ...distilled, name: "noise", range: noise.range, lowerIsBetter: true };
    writeFileSync(
      path.join(stageDir(project, "evaluate", "d1"), "result.json"),
      JSON.stringify({ ...metricsOf(rows), targets: [own] }),
    );
    // What it says of the main target is not shown here.
    const asked = teacherFor(project.config.teacher, "noise")!;
    for (const [one, grade] of [
      [asked, 2],
      [project.config.teacher, 4],
    ] as const)
      putLabels(
        project,
        await teacherFingerprint(one, root),
        rows.map((row, i) => pointRow(row.hash, grade + (i % 5) / 5)),
      );
    const browser = openBrowser(project);
    onTestFinished(() => browser.close());
    browser.setContext(liveContext(project));
    const view = (await evaluationView(browser, undefined, "noise"))!;
    // A 2 of 1..5 is 7.5 of 10..0.
    expect(view.points[0]!.teacher).toBeCloseTo(7.5, 12);
    expect(view.arms.map(({ name }) => name)).toEqual(["teacher", "TGD", "CFT"]);
    expect(view.arms[0]!.metrics!.n).toBe(rows.length);
    expect(view.arms[1]!.metrics).toEqual(distilled);
  });

  it("takes the distilled student's own evaluation where there is one", async () => {
    const { project, browser } = await evaluated();
    const { logistic: _, ...metrics } = metricsOf(rows.map((row) => ({ ...row, score: row.score ** 2 })));
    const predictions = rows.map(({ image, ...row }) => ({ ...row, path: image }));
    writeEvaluation(project, evaluationKey(project.config, "d1", predictions), metrics);
    expect((await evaluationView(browser))!.arms[1]).toEqual({ name: "TGD", metrics });
  });

  it.each([null, { pattern: "([0-9])[.]png$" }])(
    "knows the key that the evaluate stage gives, groups %j",
    async (groupBy) => {
      const root = temporaryFolder();
      mkdirSync(path.join(root, "photos"));
      const names = Array.from({ length: 12 }, (_, i) => `photos/${i}.png`);
      for (const [i, name] of names.entries()) await picture(24, 24, i).toFile(path.join(root, name));
      writeFileSync(
        path.join(root, "mos.csv"),
        toCsv(
          ["image", "mos"],
          names.map((name, i) => [name, i / 3]),
        ),
      );
      const project = liveProject(root, { mos, split: { test: 0.5, groupBy } });
      const catalog = await openCatalog(project);
      onTestFinished(() => catalog.close());
      const plan = await withPlan(project, catalog, (all) => all.evaluate("distill"));
      const predictions = [...plan.hashes].reverse().map((hash) => ({
        hash,
        path: catalog.relativePathOf(hash),
        score: 0,
        mos: catalog.mos.get(hash)!,
        group: catalog.groupNameOf(hash) ?? "",
      }));
      expect(predictions.every(({ group }) => group !== "")).toBe(groupBy !== null);
      expect(evaluationKey(project.config, plan.studentKey, predictions)).toBe(plan.key);
      expect("groups" in plan.inputs).toBe(groupBy !== null);
    },
  );

  it("is of the newest evaluated run, of the one that is named, or none", async () => {
    const { project, browser } = await evaluated();
    await runFor(liveProject(project.root, { mos, distill: { epochs: 3 } }), {});
    expect((await evaluationView(browser))!.run).toBe("r1");
    expect((await evaluationView(browser, "r1"))!.run).toBe("r1");
    expect(await evaluationView(browser, "r2")).toBeNull();
    const empty = openBrowser(liveProject(temporaryFolder()));
    onTestFinished(() => empty.close());
    expect(await evaluationView(empty)).toBeNull();
  });
});

describe("the paper's figures", () => {
  it("stand beside the paper's datasets, told by column or by name", async () => {
    const root = temporaryFolder();
    const datasetOf = async (config: Record<string, unknown>) =>
      (await paperFigures(root, liveProject(root, config).config))?.dataset ?? null;
    writeFileSync(path.join(root, "data.csv"), '\ufeff"name","prompt","mos_quality"\r\n');
    writeFileSync(path.join(root, "k.csv"), "image_name,c1,MOS,SD,MOS_zscore\n");
    writeFileSync(path.join(root, "plain.csv"), "image,mos\n");
    expect(await datasetOf({ mos: { file: "data.csv" } })).toBe("AGIQA-3K");
    expect(await datasetOf({ mos: { file: "k.csv" } })).toBe("KonIQ-10k");
    expect(await datasetOf({ mos: { file: "plain.csv" } })).toBeNull();
    expect(await datasetOf({ mos: { file: "plain.csv" }, images: ["data/SPAQ/*.jpg"] })).toBe("SPAQ");
    expect(await datasetOf({ mos: { file: "gone.csv" } })).toBeNull();
  });
});
