import path from "node:path";
import type { DistillResult } from "../../../protocol/results.ts";
import type { Agreement } from "../../../protocol/trainer.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { keyOf } from "../../base/keys.ts";
import type { Project } from "../../config/project.ts";
import { type Catalog, openCatalog } from "../../dataset/catalog.ts";
import { readFailures } from "../../failures/list.ts";
import { openLabels } from "../../labels/labels.ts";
import { writeLabelSnapshot } from "../../labels/snapshot.ts";
import { resolveInterpreter } from "../../python/environment.ts";
import { mostLiveCandidates, sampleCandidates, studentTable } from "../../selection/studentTable.ts";
import { carryOut } from "../carryOut.ts";
import { recordStage } from "../runs.ts";
import { finishedResult, type StageOptions, stageDir, writeResult } from "../stage.ts";
import { train } from "../trainer.ts";
import { type LabelState, labelState, sampledPairs } from "./label.ts";
import {
  tellUndecoded,
  trainerWitness,
  trainingCache,
  untargetedRows,
  writeCard,
  writeRows,
} from "./training.ts";

/** What a finished distill leaves in its `result.json`. */
interface Finished {
  durationS: number;
  teacherAgreement: Agreement;
  minConfidence?: number;
}

/** The key of the distilled student: the labels it learns from, the images, and its own settings. */
export function distillKey(project: Project, catalog: Catalog, labels: LabelState): string {
  const { student, distill } = project.config;
  const { processes: _, ...settings } = distill;
  return keyOf({
    labels: labels.key,
    usable: labels.usable,
    human: labels.human,
    minConfidence: labels.minConfidence,
    split: catalog.splitDigest,
    student: { ...student, input: { ...student.input, views: 0 } },
    views: student.input.views,
    distill: settings,
  });
}

/** TGD: trains the student on the teacher's labels of the training images. Never reads a MOS. */
export async function distillStage(project: Project, options: StageOptions = {}): Promise<DistillResult> {
  const catalog = await openCatalog(project, options);
  try {
    const labels = await labelState(project, catalog);
    if (!labels.finished) {
      throw new LeafError("failed", say`The images are not labelled yet.`, {
        remedy: say`Run \`leaf label\` first, or \`leaf run\` for all stages.`,
      });
    }
    const key = distillKey(project, catalog, labels);
    const dir = stageDir(project, "distill", key);
    const result = await carryOut(project, "distill", key, {
      keys: { label: labels.key, distill: key },
      work: () => trainStudent(project, catalog, labels, key, dir, options),
      async record(run, reused) {
        const finished = await finishedResult(project, "distill", key);
        const failures = await readFailures(dir);
        const student = path.join(dir, "student.onnx");
        const result = { run: run.id, student, reused, ...finished, ...(failures && { failures }) };
        await recordStage(project, run, "distill", { key, seconds: finished.durationS, result });
        return result;
      },
    });
    await lookAtCandidates(project, catalog, key, options);
    return result;
  } finally {
    catalog.close();
  }
}

/** Where images to rate are chosen by their features, the editor finds these ready. */
async function lookAtCandidates(
  project: Project,
  catalog: Catalog,
  key: string,
  options: StageOptions,
): Promise<void> {
  const { selection, seed } = project.config.calibrate;
  if (selection === "random") return;
  const unrated = catalog.hashes.filter(
    (hash) => catalog.splitOf(hash) === "train" && !catalog.mos.has(hash),
  );
  const items = sampleCandidates(unrated, seed, mostLiveCandidates, "rate").map((hash) => ({
    hash,
    path: catalog.pathOf(hash),
  }));
  const threads = project.config.python.threads ?? undefined;
  await studentTable(project, `distill-${key}`, stageDir(project, "distill", key), items, {
    ...options,
    threads,
  });
}

async function trainStudent(
  project: Project,
  catalog: Catalog,
  labels: LabelState,
  key: string,
  dir: string,
  options: StageOptions,
): Promise<void> {
  const { config } = project;
  const interpreter = resolveInterpreter(config.python.interpreter, project.root);
  const cache = await trainingCache(project, catalog, "distill", options);
  try {
    const candidates = catalog.hashes.filter((hash) => catalog.splitOf(hash) !== "test");
    await tellUndecoded(project, "distill", dir, candidates, cache.failed, options);
    const rowsFile = path.join(dir, "rows.csv");
    const undecoded = new Set(cache.failed.map(({ hash }) => hash));
    const used = candidates.filter((hash) => !undecoded.has(hash));
    await writeRows(rowsFile, untargetedRows(catalog), cache.rowOf);
    // The trainer reads a copy that holds just the labels of this stage: others may be added to the store meanwhile.
    const db = path.join(dir, "labels.sqlite");
    const store = openLabels(project.labelsFile, { readOnly: true });
    let snapshot: { maxPointId: number; maxPairId: number };
    try {
      snapshot = await writeLabelSnapshot(store, db, {
        teacher: labels.teacher,
        images: new Set(used),
        pairs: sampledPairs(project, catalog, store, labels.teacher),
      });
    } finally {
      store.close();
    }
    const witness = trainerWitness("distill", options);
    const { distill, student, python } = config;
    const done = await train({
      interpreter,
      processes: distill.processes,
      signal: options.signal,
      onMessage: witness.onMessage,
      job: {
        v: 1,
        kind: "distill",
        out: dir,
        resume: true,
        seed: distill.seed,
        device: python.device,
        threads: python.threads ?? options.threads ?? null,
        student: {
          model: student.model,
          crop: student.input.crop,
          views: student.input.views,
          backbone: null,
        },
        cache: cache.dir,
        rows: rowsFile,
        labels: { db, teacher: labels.teacher, minConfidence: labels.minConfidence, ...snapshot },
        epochs: distill.epochs,
        batch: distill.batch,
        lr: distill.lr,
        weightDecay: distill.weightDecay,
        warmup: 0.1,
        clip: 1,
        ema: distill.ema,
        amp: "auto",
        keep: distill.keep,
        headOnly: false,
        loss: distill.loss,
      },
    });
    await writeCard(
      project,
      dir,
      { stage: "distill", stageKey: key, teacher: labels.teacher, images: used.length, mosScale: null },
      done,
      witness.hello,
    );
    const finished: Finished = {
      durationS: done.durationS,
      teacherAgreement: done.val ?? { n: 0, srcc: null, plcc: null },
      minConfidence: labels.minConfidence,
    };
    await writeResult(project, "distill", key, finished);
  } finally {
    cache.release();
  }
}
