import { existsSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import type { EvaluateResult, Metrics, RunRecord } from "../../protocol/results.ts";
import { metrics as metricsSchema } from "../../protocol/schema/results.ts";
import type { EvaluationView } from "../../protocol/server.ts";
import { readJsonAs } from "../base/json.ts";
import { keyOf } from "../base/keys.ts";
import { chunksOf } from "../base/sqlite.ts";
import type { Config } from "../config/config.ts";
import type { Project } from "../config/project.ts";
import { teacherFor } from "../config/questions.ts";
import { usable } from "../labels/rules.ts";
import { fitLogistic, krcc, type Logistic, logistic, plcc, rmse, srcc } from "../metrics/agreement.ts";
import { bootstrapIntervals } from "../metrics/bootstrap.ts";
import { groupsOf } from "../metrics/groups.ts";
import { mainColumn, targetsOf } from "../mos/complete.ts";
import { type MosScale, studentToMos } from "../mos/scale.ts";
import { runsOf } from "../pipeline/currentStudent.ts";
import { evaluationInputs } from "../pipeline/plan/evaluate.ts";
import { type Prediction, predictionsFile, readPredictions } from "../pipeline/predictions.ts";
import { configOf, listRuns } from "../pipeline/runs.ts";
import { readResult, stageDir } from "../pipeline/stage.ts";
import { teacherFingerprint } from "../teachers/createTeacher.ts";
import type { Browser } from "./browse.ts";
import { paperFigures } from "./paperFigures.ts";

/** Who judged in this run: an ensemble's weights may be others by now. */
async function teacherOf(project: Project, run: RunRecord): Promise<string> {
  const { teacher } = configOf(run);
  if (teacher.kind !== "ensemble") return teacherFingerprint(teacher, project.root);
  const { label } = run.stages;
  const finished = label && (await readResult(project, "label", label.key));
  return String((finished as { teacher?: unknown } | undefined)?.teacher ?? "");
}

const kept = new WeakMap<Browser, LRUCache<string, Promise<EvaluationView>>>();
const mostKept = 8;

/**
 * What `evaluate` found, image by image, beside the same figures of the teacher and of the distilled student. Of the newest
 * evaluated run of this config unless one is named; null if that one has not been evaluated. Of the main target unless another is
 * named that the run has.
 */
export async function evaluationView(
  browser: Browser,
  runId?: string,
  target?: string,
): Promise<EvaluationView | null> {
  const { project, sources } = browser;
  const runs = (await listRuns(project)).filter(
    (run) => run.stages.evaluate && existsSync(predictionsFile(project, run.stages.evaluate.key)),
  );
  const run = runId ? runs.find((one) => one.id === runId) : runsOf(project, runs)[0];
  if (!run) return null;
  sources.refresh();
  const key = [run.id, run.stages.evaluate!.key, sources.version("labels"), target].join(" ");
  const views = kept.get(browser) ?? new LRUCache<string, Promise<EvaluationView>>({ max: mostKept });
  kept.set(browser, views);
  let view = views.get(key);
  if (!view) {
    view = viewOf(browser, run, target);
    views.set(key, view);
    view.catch(() => views.delete(key));
  }
  return view;
}

async function viewOf(browser: Browser, run: RunRecord, target?: string): Promise<EvaluationView> {
  const { project } = browser;
  const config = configOf(run);
  const mos = config.mos!;
  const { key, result } = run.stages.evaluate!;
  const { logistic: fitted, ...evaluation } = result as EvaluateResult & { logistic?: Logistic | null };
  const names = [
    targetsOf(mos)[0]?.name ?? mainColumn(mos),
    ...(evaluation.targets ?? []).map(({ name }) => name),
  ];
  const beside = evaluation.targets?.findIndex(({ name }) => name === target) ?? -1;
  if (beside >= 0) return viewOfTarget(browser, run, beside, names);
  const predictions = await readPredictions(predictionsFile(project, key));
  const teacher = await teacherOf(project, run);
  const judged = await scoresOf(browser, teacher, predictions);
  const fit = fitted === undefined ? fitLogistic(...columnsOf(predictions)) : fitted;
  return {
    run: run.id,
    ...(names.length > 1 && { target: { name: names[0]!, names } }),
    evaluation: { ...evaluation, run: run.id },
    points: pointsOf(predictions, judged, mos),
    range: [...mos.range],
    fit: fit && curveOf(fit, predictions),
    arms: [
      { name: "teacher", metrics: await compare(predictions, judged, mos, config) },
      { name: "TGD", metrics: await distilledMetrics(browser, run, predictions) },
      { name: "CFT", metrics: evaluation.student === "calibrate" ? metricsOf(evaluation) : null },
    ],
    paper: await paperFigures(project.root, config),
  };
}

/** Each prediction with the teacher's score on the MOS scale, where it gave one. */
function pointsOf(
  predictions: readonly Prediction[],
  judged: ReadonlyMap<string, number>,
  scale: MosScale,
): EvaluationView["points"] {
  return predictions.map(({ hash, path, score, mos }) => {
    const said = judged.get(hash);
    return { hash, path, score, mos, teacher: said === undefined ? null : studentToMos(said, scale) };
  });
}

/** Of a target beside the main one: single ratings and the paper's figures are of the main one. */
async function viewOfTarget(
  browser: Browser,
  run: RunRecord,
  at: number,
  names: string[],
): Promise<EvaluationView> {
  const { project } = browser;
  const config = configOf(run);
  const { key, result } = run.stages.evaluate!;
  const { split, student, failed, targets = [] } = result as EvaluateResult;
  const { name, range, lowerIsBetter, ...metrics } = targets[at]!;
  const predictions = await readPredictions(predictionsFile(project, key, at));
  const scale = { range, lowerIsBetter };
  // An ensemble's weights for it are not kept.
  const teacher = teacherFor(config.teacher, name);
  const asked = teacher && teacher.kind !== "ensemble" && (await teacherFingerprint(teacher, project.root));
  const judged = asked ? await scoresOf(browser, asked, predictions) : new Map<string, number>();
  const fit = fitLogistic(...columnsOf(predictions));
  return {
    run: run.id,
    target: { name, names },
    evaluation: { ...metrics, run: run.id, split, student, failed, targets },
    points: pointsOf(predictions, judged, scale),
    range: [...range],
    fit: fit && curveOf(fit, predictions),
    arms: [
      { name: "teacher", metrics: await compare(predictions, judged, scale, config) },
      { name: "TGD", metrics: await distilledTarget(project, run, name) },
      { name: "CFT", metrics: student === "calibrate" ? metricsOf(metrics) : null },
    ],
    paper: null,
  };
}

/** A target beside the main one in the distilled student's own evaluation, if there was one. */
async function distilledTarget(project: Project, run: RunRecord, name: string): Promise<Metrics | null> {
  const found = run.distilledEvaluation && (await readResult(project, "evaluate", run.distilledEvaluation));
  const own = found ? found.targets?.find((one) => one.name === name) : undefined;
  return own ? metricsOf(own) : null;
}

function columnsOf(predictions: readonly { score: number; mos: number }[]): [Float64Array, Float64Array] {
  return [
    Float64Array.from(predictions, ({ score }) => score),
    Float64Array.from(predictions, ({ mos }) => mos),
  ];
}

/** Points enough for a smooth line. */
const curvePoints = 64;

function curveOf(fit: Logistic, predictions: readonly Prediction[]): [number, number][] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { score } of predictions) {
    low = Math.min(low, score);
    high = Math.max(high, score);
  }
  return Array.from({ length: curvePoints }, (_, i) => {
    const x = low + ((high - low) * i) / (curvePoints - 1);
    return [x, logistic(fit, x)];
  });
}

/** What a scorer or teacher said itself, on 1..5, by hash: its labels, else its scores. */
async function scoresOf(
  browser: Browser,
  by: string,
  images: readonly { hash: string }[],
): Promise<Map<string, number>> {
  const scores = new Map<string, number>();
  for (const some of chunksOf(images, 1000)) {
    browser.sources.refresh();
    const rows = browser.sources
      .prepare(
        `SELECT j.value AS hash, coalesce(p.score, s.score) AS score FROM json_each(:hashes) AS j
         LEFT JOIN labels.images AS i ON i.hash = j.value
         LEFT JOIN labels.points AS p ON p.image_id = i.id AND ${usable("points", "p")}
           AND p.teacher_id = (SELECT id FROM labels.teachers WHERE fingerprint = :by)
         LEFT JOIN scores.scores AS s ON s.scorer = :by AND s.hash = j.value
         WHERE coalesce(p.score, s.score) IS NOT NULL`,
      )
      .all({ hashes: JSON.stringify(some.map((one) => one.hash)), by }) as { hash: string; score: number }[];
    for (const { hash, score } of rows) scores.set(hash, score);
    await setImmediate();
  }
  return scores;
}

/**
 * The distilled student on the same images: from its own evaluation if there was one, else from scores that it gave in the
 * background before there was a calibrated student; null where neither covers all images.
 */
async function distilledMetrics(
  browser: Browser,
  run: RunRecord,
  predictions: readonly Prediction[],
): Promise<Metrics | null> {
  const distilled = run.stages.distill?.key;
  if (!distilled) return null;
  const config = configOf(run);
  // That of a student of several targets has another key.
  for (const key of [evaluationKey(config, distilled, predictions), run.distilledEvaluation]) {
    const file = key && path.join(stageDir(browser.project, "evaluate", key), "evaluation.json");
    const evaluated = file && (await readJsonAs<Metrics>(file, metricsSchema));
    if (evaluated) return metricsOf(evaluated);
  }
  const scores = await scoresOf(browser, `distill-${distilled}`, predictions);
  return scores.size < predictions.length ? null : compare(predictions, scores, config.mos!, config);
}

/** The run's own images stand for the catalog, which may have changed since. */
export function evaluationKey(config: Config, student: string, predictions: readonly Prediction[]): string {
  const sorted = [...predictions].sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return keyOf(evaluationInputs(config, student, sorted));
}

/** Images times replicates of the intervals, and images of a logistic fit, that the event loop can spare. */
const intervalBudget = 400_000;
const fitBudget = 3_000;
const leastReplicates = 100;

/** Metrics of scores on 1..5 against the MOS of those images that have one; in steps, between which the event loop runs. */
async function compare(
  predictions: readonly Prediction[],
  scores: ReadonlyMap<string, number>,
  scale: MosScale,
  { evaluate }: Config,
): Promise<Metrics | null> {
  const both = predictions.flatMap(({ hash, mos, group }) => {
    const score = scores.get(hash);
    return score === undefined ? [] : [{ score: studentToMos(score, scale), mos, group }];
  });
  const n = both.length;
  if (n < 3) return null;
  const [x, y] = columnsOf(both);
  const metrics = { n, srcc: srcc(x, y), plcc: plcc(x, y), krcc: krcc(x, y), rmse: rmse(x, y) };
  await setImmediate();
  const fit = n > fitBudget ? null : fitLogistic(x, y);
  const plccLogistic =
    fit &&
    plcc(
      x.map((value) => logistic(fit, value)),
      y,
    );
  await setImmediate();
  const replicates = Math.min(evaluate.bootstrap, Math.max(leastReplicates, Math.floor(intervalBudget / n)));
  const none = { srcc: null, plcc: null };
  const groups = groupsOf(both.map(({ group }) => group));
  const ci95 = metrics.srcc === null ? none : bootstrapIntervals(x, y, { replicates, seed: 0, groups });
  return { ...metrics, plccLogistic, ci95, ...(groups && { groups: groups.count }) };
}

function metricsOf({ n, srcc, plcc, plccLogistic, krcc, rmse, ci95, groups }: Metrics): Metrics {
  return { n, srcc, plcc, plccLogistic, krcc, rmse, ci95, ...(groups !== undefined && { groups }) };
}
