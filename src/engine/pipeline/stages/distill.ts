import { rm } from "node:fs/promises";
import path from "node:path";
import type { DistillResult } from "../../../protocol/results.ts";
import type { Agreement, TrainerDone } from "../../../protocol/trainer.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { writeJson } from "../../base/files.ts";
import { version } from "../../base/version.ts";
import type { Project } from "../../config/project.ts";
import { consentItems } from "../../consent/needed.ts";
import { requireApproved } from "../../consent/store.ts";
import type { Catalog } from "../../dataset/catalog.ts";
import { unseen } from "../../dataset/seenShare.ts";
import { readFailures } from "../../failures/list.ts";
import { openLabels } from "../../labels/labels.ts";
import { writeLabelSnapshot } from "../../labels/snapshot.ts";
import { resolveInterpreter } from "../../python/environment.ts";
import { mostLiveCandidates, sampleCandidates, studentTable } from "../../selection/studentTable.ts";
import { carryOut } from "../carryOut.ts";
import { type Launch, launchFile, launchOf } from "../launch.ts";
import { nodeAddress } from "../nodeAddress.ts";
import { sampledPairs } from "../plan/label.ts";
import { withPlan } from "../plan/plan.ts";
import { targetScores } from "../plan/pointTargets.ts";
import type { DistillPlan, Plan } from "../plan/types.ts";
import { recordStage } from "../runs.ts";
import { finishedResult, type StageOptions, stageDir, withCatalog, writeResult } from "../stage.ts";
import { type TrainOptions, train } from "../trainer.ts";
import {
  cardTargets,
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
  targets?: DistillResult["targets"];
  minConfidence?: number | null;
  temperature?: number;
  keep: "best" | "last";
  epoch: number;
}

/** TGD: trains the student on the teacher's labels of the training images. Never reads a MOS. */
export async function distillStage(project: Project, options: StageOptions = {}): Promise<DistillResult> {
  return withCatalog(project, options, (catalog) =>
    withPlan(project, catalog, async (plan) => {
      const distill = await plan.distill();
      if (!distill.labelled) {
        throw new LeafError("failed", say`The images are not labelled yet.`, {
          remedy: say`Run \`leaf label\` first, or \`leaf run\` for all stages.`,
        });
      }
      const dir = stageDir(project, "distill", distill.key);
      const result = await carryOut(project, distill, {
        work: () => trainStudent(plan, distill, dir, options),
        async record(run, reused) {
          const { inputs: _, ...finished } = await finishedResult(project, "distill", distill.key);
          const failures = await readFailures(dir);
          const student = path.join(dir, "student.onnx");
          const result = { run: run.id, student, reused, ...finished, ...(failures && { failures }) };
          const { key } = distill;
          await recordStage(project, run, "distill", { key, seconds: finished.durationS, result });
          return result;
        },
      });
      await lookAtCandidates(project, catalog, distill.key, options);
      return result;
    }),
  );
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

/** What it would be a pity to hear of after the training. */
function tellBefore(
  { keep }: DistillPlan,
  { config }: Project,
  catalog: Catalog,
  { onNote, onWarning }: StageOptions,
): void {
  const unlooked = unseen(config, catalog.index);
  if (unlooked) onWarning?.(unlooked);
  if (config.distill.keep === "auto" && keep === "last")
    onNote?.(
      say`the last epoch becomes the student: ${catalog.counts.val} val images are too few to choose the best one (\`distill.keep\`)`,
    );
}

async function trainStudent(
  whole: Plan,
  plan: DistillPlan,
  dir: string,
  options: StageOptions,
): Promise<void> {
  const { project, catalog } = whole;
  const { distill, student, python } = project.config;
  const { teacher } = plan.label;
  const { key, minConfidence, temperature } = plan;
  const interpreter = resolveInterpreter(python.interpreter, project.root);
  const cache = await trainingCache(project, catalog, "distill", options);
  try {
    const candidates = catalog.hashes.filter((hash) => catalog.splitOf(hash) !== "test");
    await tellUndecoded(project, "distill", dir, candidates, cache.failed, options);
    const rowsFile = path.join(dir, "rows.csv");
    const undecoded = new Set(cache.failed.map(({ hash }) => hash));
    const used = candidates.filter((hash) => !undecoded.has(hash));
    await writeRows(rowsFile, untargetedRows(catalog), cache.rowOf);
    const images = new Set(used);
    const db = path.join(dir, "labels.sqlite");
    writeLabels(whole, plan, db, images);
    const targets = plan.targets.map(({ plan: own, name, ...learnt }, i) => {
      const labels = path.join(dir, `labels-${i + 1}.sqlite`);
      writeLabels(own, learnt, labels, images);
      return { name, labels, temperature: learnt.temperature };
    });
    tellBefore(plan, project, catalog, options);
    const witness = trainerWitness("distill", options);
    const { confidence: _, ...weights } = distill.loss;
    const { processes } = distill;
    const launch = launchOf(project);
    const placed = launch && { ...launch, ...(await nodeAddress(launch.rendezvous)) };
    const done = await launched(project, key, launch, {
      interpreter,
      torchrun: { processes, launch: placed, id: key },
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
        labels: db,
        ...(targets.length > 0 && { targets }),
        epochs: distill.epochs,
        batch: distill.batch,
        microBatch: distill.microBatch,
        lr: distill.lr,
        weightDecay: distill.weightDecay,
        layerDecay: distill.layerDecay,
        warmup: 0.1,
        clip: 1,
        ema: distill.ema,
        amp: "auto",
        precision: python.precision,
        keep: plan.keep,
        headOnly: false,
        loss: { ...weights, temperature },
      },
    });
    await writeCard(
      project,
      dir,
      {
        stage: "distill",
        stageKey: key,
        teacher,
        images: used.length,
        mosScale: null,
        ...cardTargets(project, targets),
      },
      done,
      witness.hello,
    );
    const finished: Finished = {
      durationS: done.durationS,
      teacherAgreement: done.val ?? unknown,
      ...(targets.length > 0 && {
        targets: targets.map(({ name }) => ({ name, ...(done.targets?.[name] ?? unknown) })),
      }),
      minConfidence,
      temperature,
      keep: plan.keep,
      epoch: done.bestEpoch,
    };
    await writeResult(project, plan, finished);
  } finally {
    cache.release();
  }
}

/** Trains; where other nodes take part they find the job meanwhile. Throws LeafError `consent` for a rendezvous that is not approved. */
async function launched(
  project: Project,
  key: string,
  launch: Launch | undefined,
  options: TrainOptions,
): Promise<TrainerDone> {
  if (!launch) return train(options);
  requireApproved(consentItems(project, "distill").filter(({ kind }) => kind === "rendezvous"));
  await writeJson(launchFile(project), { v: 1, leaf: version, key });
  try {
    return await train(options);
  } finally {
    await rm(launchFile(project), { force: true });
  }
}

const unknown: Agreement = { n: 0, srcc: null, plcc: null };

/** What it learns from, unchanged by whatever is labelled meanwhile. */
function writeLabels(
  plan: Plan,
  { label, minConfidence }: Pick<DistillPlan, "label" | "minConfidence">,
  file: string,
  images: ReadonlySet<string>,
): void {
  const { project } = plan;
  const people = project.target === undefined;
  const store = openLabels(project.labelsFile, { readOnly: true, people });
  try {
    writeLabelSnapshot(store, file, {
      teacher: label.teacher,
      images,
      pairs: sampledPairs(project, label, store),
      minConfidence,
      ...(project.config.distill.target !== "points" && { scores: targetScores(plan, label, store) }),
    });
  } finally {
    store.close();
  }
}
