import { existsSync } from "node:fs";
import type { Metrics } from "../../protocol/results.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { keyOf } from "../base/keys.ts";
import type { Project } from "../config/project.ts";
import type { Catalog } from "../dataset/catalog.ts";
import { openLabels } from "../labels/labels.ts";
import { evaluateMetrics } from "../metrics/agreement.ts";
import { groupsOf } from "../metrics/groups.ts";
import { studentToMos } from "../mos/scale.ts";
import { withPlan } from "../pipeline/plan/plan.ts";
import { predictionsFile, readPredictions } from "../pipeline/predictions.ts";
import { finishedResult } from "../pipeline/stage.ts";
import { figuresOf } from "./target.ts";

/** Score and MOS by image hash, both on the MOS scale, and the group of `split.groupBy` (empty for none). */
export type Predictions = Map<string, { score: number; mos: number; group: string }>;

/**
 * What an evaluation stage predicted, image by image, of its main target or of the named one beside it. Throws LeafError `failed`
 * where its file is gone or damaged.
 */
export async function studentPredictions(
  project: Project,
  key: string,
  target?: string,
): Promise<Predictions> {
  const at =
    target === undefined ? undefined : figuresOf(await finishedResult(project, "evaluate", key), target).at;
  const file = predictionsFile(project, key, at);
  const predictions: Predictions = new Map();
  if (existsSync(file)) {
    const rows = await readPredictions(file).catch(() => []);
    for (const { hash, score, mos, group } of rows) if (hash) predictions.set(hash, { score, mos, group });
  }
  if (
    [...predictions.values()].some(({ score, mos }) => !Number.isFinite(score + mos)) ||
    predictions.size < 3
  ) {
    throw new LeafError("failed", say`${file} is missing or damaged.`, {
      remedy: say`Remove that folder and run the experiment again.`,
    });
  }
  return predictions;
}

/** The teacher's own point-wise scores of the evaluated split, never a person's correction of them. */
export async function teacherPredictions(project: Project, catalog: Catalog): Promise<Predictions> {
  const { mos, evaluate } = project.config;
  if (!mos) {
    throw new LeafError("config", say`There are no human scores to compare the teacher with.`, {
      remedy: say`Add \`mos: { file: …, image: …, score: … }\` to the base config.`,
    });
  }
  const teacher = await withPlan(project, catalog, (plan) => plan.teacher());
  const store = openLabels(project.labelsFile, { readOnly: true });
  try {
    const own = store.ownScores(teacher);
    const predictions: Predictions = new Map();
    for (const hash of catalog.hashes) {
      const [score, truth] = [own.get(hash), catalog.mos.get(hash)];
      if (catalog.splitOf(hash) === evaluate.split && score !== undefined && truth !== undefined)
        predictions.set(hash, {
          score: studentToMos(score, mos),
          mos: truth,
          group: catalog.groupNameOf(hash) ?? "",
        });
    }
    return predictions;
  } finally {
    store.close();
  }
}

/** The teacher against people, and a key that changes with what it said or they did. */
export async function teacherEvaluation(
  project: Project,
  catalog: Catalog,
): Promise<{ metrics: Metrics; key: string }> {
  const predictions = await teacherPredictions(project, catalog);
  if (predictions.size < 3) {
    throw new LeafError(
      "config",
      say`The ${project.config.evaluate.split} split has ${predictions.size} images with a MOS and a label; at least 3 are needed.`,
      { remedy: say`Raise \`split.test\`, or rate more images.` },
    );
  }
  const { logistic: _, ...metrics } = evaluateMetrics(...columns(predictions), {
    bootstrap: project.config.evaluate.bootstrap,
    seed: 0,
    groups: groupsOf([...predictions.values()].map(({ group }) => group)),
  });
  return { metrics, key: keyOf([...predictions].map(([hash, { score, mos }]) => [hash, score, mos])) };
}

function columns(predictions: Predictions): [Float64Array, Float64Array] {
  const rows = [...predictions.values()];
  return [Float64Array.from(rows, ({ score }) => score), Float64Array.from(rows, ({ mos }) => mos)];
}
