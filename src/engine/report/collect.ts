import { existsSync } from "node:fs";
import path from "node:path";
import type { EvaluateResult, Metrics, RunRecord } from "../../protocol/results.ts";
import { metrics } from "../../protocol/schema/results.ts";
import { studentCard } from "../../protocol/schema/student.ts";
import type { StudentCard } from "../../protocol/student.ts";
import { say } from "../../words/text.ts";
import { isCancelled, LeafError, throwIfCancelled } from "../base/errors.ts";
import { readJsonAs } from "../base/json.ts";
import { randomInt, seededRandom } from "../base/random.ts";
import { type Project, projectOf } from "../config/project.ts";
import { openCatalog } from "../dataset/catalog.ts";
import { withImage } from "../images/decode.ts";
import { maxPixelsOf } from "../images/limits.ts";
import { sharp } from "../images/sharp.ts";
import { runsOf, studentOf } from "../pipeline/currentStudent.ts";
import { type Prediction, predictionsFile, readPredictions } from "../pipeline/predictions.ts";
import { findRun, runCurves } from "../pipeline/runSummaries.ts";
import { configOf, listRuns } from "../pipeline/runs.ts";
import { type StageOptions, stageDir } from "../pipeline/stage.ts";
import { reportedScore } from "../student/scale.ts";
import { openStudent, scoreImages } from "../student/student.ts";
import type { DatasetFacts, ReportData, ShownImage } from "./data.ts";
import { raterFacts } from "./ratersTable.ts";

const shownImages = 6;
const pictureSide = 240;
/** Images that are scored for the histogram where nothing was evaluated. */
const sampled = 200;

/** The newest run of this config, or the one that is named. Throws LeafError `input` where there is none. */
export async function reportedRun(project: Project, id?: string): Promise<RunRecord> {
  if (id !== undefined) return findRun(project, id);
  const [newest] = runsOf(project, await listRuns(project));
  if (newest) return newest;
  throw new LeafError("input", say`There is no run of ${path.basename(project.configFile)} yet.`, {
    remedy: say`Run \`leaf run\` first.`,
  });
}

/** All that a report tells of a run: read from its stages, with small pictures of its best and worst images. */
export async function collectReport(
  current: Project,
  run: RunRecord,
  options: StageOptions = {},
): Promise<ReportData> {
  const config = configOf(run);
  const project = projectOf(current.configFile, config);
  const evaluate = run.stages.evaluate;
  const file = evaluate && predictionsFile(project, evaluate.key);
  const predictions = file && existsSync(file) ? await readPredictions(file) : [];
  const student = studentOf(project, run)?.dir;
  const card = student
    ? ((await readJsonAs<StudentCard>(path.join(student, "student.json"), studentCard)) ?? null)
    : null;
  const dataset = await datasetOf(project, options);
  const sample =
    predictions.length === 0 && student && dataset
      ? await scoreSample(project, student, dataset.sample, options)
      : [];
  return {
    configName: run.configFile,
    created: new Date().toISOString(),
    run,
    config,
    card,
    dataset: dataset?.facts ?? null,
    curves: await runCurves(project, run.id),
    evaluation: (evaluate?.result as EvaluateResult | undefined) ?? null,
    distilled: await distilledMetrics(project, run),
    predictions,
    sampleScores: sample.map((one) => one.score),
    range: card?.mosScale?.range ?? [1, 5],
    lowerIsBetter: card?.mosScale?.lowerIsBetter ?? false,
    images: await shownOf(
      project,
      predictions.length > 0 ? predictions : sample,
      card?.mosScale?.lowerIsBetter ?? config.mos?.lowerIsBetter ?? false,
      options,
    ),
  };
}

/** The distilled student's own evaluation, where there is one beside the calibrated student's. */
export async function distilledMetrics(project: Project, run: RunRecord): Promise<Metrics | null> {
  const key = run.distilledEvaluation;
  if (key === undefined) return null;
  const file = path.join(stageDir(project, "evaluate", key), "evaluation.json");
  return (await readJsonAs<Metrics>(file, metrics)) ?? null;
}

async function datasetOf(
  project: Project,
  options: StageOptions,
): Promise<{ facts: DatasetFacts; sample: { hash: string; path: string }[] } | null> {
  try {
    const catalog = await openCatalog(project, { signal: options.signal, onProgress: options.onProgress });
    try {
      const random = seededRandom("report", 0);
      const { hashes } = catalog;
      const chosen =
        hashes.length <= sampled
          ? hashes
          : Array.from({ length: sampled }, () => hashes[randomInt(random, hashes.length)]!);
      return {
        facts: {
          images: hashes.length,
          failed: catalog.summary.failed,
          splits: catalog.counts,
          rated: project.config.mos ? catalog.mos.size : null,
          problems: catalog.problems,
          ...(catalog.raw && catalog.raw.ratings.raters.length > 0 && { raters: raterFacts(catalog.raw) }),
        },
        sample: [...new Set(chosen)].map((hash) => ({ hash, path: catalog.relativePathOf(hash) })),
      };
    } finally {
      catalog.close();
    }
  } catch (error) {
    // The files may be gone; the run's figures stand all the same.
    if (error instanceof LeafError && !isCancelled(error)) return null;
    throw error;
  }
}

type Scored = Pick<Prediction, "hash" | "path" | "score"> & { mos?: number };

async function scoreSample(
  { root, config }: Project,
  folder: string,
  sample: readonly { hash: string; path: string }[],
  options: StageOptions,
): Promise<Scored[]> {
  const student = await openStudent(folder);
  const scored: Scored[] = [];
  try {
    const items = sample.map((one) => ({
      hash: one.hash,
      path: path.join(root, one.path),
      relative: one.path,
    }));
    const maxPixels = maxPixelsOf(config);
    for await (const one of scoreImages(student, items, { signal: options.signal, maxPixels })) {
      if ("reason" in one) continue;
      const { hash, relative } = one.item;
      scored.push({ hash, path: relative, score: reportedScore(student.card, one.score) });
    }
  } finally {
    await student.close();
  }
  return scored;
}

async function shownOf(
  project: Project,
  scored: readonly Scored[],
  lowerIsBetter: boolean,
  { signal }: StageOptions,
): Promise<ReportData["images"]> {
  const bestLast = [...scored].sort((a, b) => (lowerIsBetter ? b.score - a.score : a.score - b.score));
  const off = (one: Scored) => (one.mos === undefined ? 0 : Math.abs(one.score - one.mos));
  const mostOff = scored.filter((one) => one.mos !== undefined).sort((a, b) => off(b) - off(a));
  // Few images: none stands on both ends.
  const each = Math.min(shownImages, Math.ceil(scored.length / 2));
  const show = async (some: Scored[]) => {
    const shown: ShownImage[] = [];
    for (const { hash, path: relative, score, mos } of some) {
      throwIfCancelled(signal);
      const file = { hash, path: path.join(project.root, relative) };
      const picture = await pictureOf(file, maxPixelsOf(project.config));
      shown.push({ path: relative, score, mos: mos ?? null, picture });
    }
    return shown;
  };
  return {
    worst: await show(bestLast.slice(0, each)),
    best: await show(bestLast.slice(Math.max(each, bestLast.length - shownImages)).reverse()),
    mostWrong: await show(mostOff.slice(0, shownImages)),
  };
}

/** A small JPEG as a data: URL; null for a file that is gone or another image by now. */
async function pictureOf(file: { hash: string; path: string }, maxPixels: number): Promise<string | null> {
  try {
    const bytes = await withImage(file, { maxPixels }, ({ width, height, data }) =>
      sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false })
        .resize({ width: pictureSide, height: pictureSide, fit: "inside", withoutEnlargement: true })
        .jpeg({ quality: 72 })
        .toBuffer(),
    );
    return `data:image/jpeg;base64,${bytes.toString("base64")}`;
  } catch (error) {
    if (error instanceof LeafError) return null;
    throw error;
  }
}
