import { existsSync } from "node:fs";
import path from "node:path";
import type { TrainerDone } from "../../../protocol/trainer.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { resolveInterpreter } from "../../python/environment.ts";
import { teacherRows } from "../plan/teacherRows.ts";
import type { CalibratePlan, Plan, TargetRows, TrainingRow } from "../plan/types.ts";
import { type StageOptions, stageDir } from "../stage.ts";
import { train } from "../trainer.ts";
import { type TrainingCache, trainerWitness, untargetedRows, writeRows } from "./training.ts";

export interface FineTuning {
  dir: string;
  rows: readonly TrainingRow[];
  /** Beside the main one. */
  targets?: readonly TargetRows[];
  /** The epoch to keep; `last` where the rows of val are to tell how good it is. */
  keep: "best" | "last";
}

/** CFT: trains the network on human scores. Resolves with what the trainer said of itself, too. */
export async function fineTune(
  all: Plan,
  plan: CalibratePlan,
  cache: TrainingCache,
  { dir, rows, targets = [], keep }: FineTuning,
  options: StageOptions,
): Promise<{ done: TrainerDone; hello: { torch: string; device: string } }> {
  const { project, catalog } = all;
  const { student, python } = project.config;
  const calibrate = plan.settings;
  const rowsFile = path.join(dir, "rows.csv");
  await writeRows(rowsFile, rows, cache.rowOf, targets);
  const domainFile = path.join(dir, "domain.csv");
  await writeRows(domainFile, untargetedRows(catalog), cache.rowOf);
  const { weights: _, ...loss } = calibrate.loss;
  const unrated = plan.distilled && loss.teacher > 0 ? await teacherRows(all, { rows }) : [];
  const teacherFile = unrated.length > 0 ? path.join(dir, "teacher.csv") : null;
  if (teacherFile) await writeRows(teacherFile, unrated, cache.rowOf);
  const backbone =
    plan.distilled && calibrate.from !== "backbone"
      ? path.join(stageDir(project, "distill", plan.distilled), "checkpoints", "best.pt")
      : null;
  if (backbone && !existsSync(backbone)) {
    throw new LeafError("failed", say`${backbone} is missing.`, {
      remedy: say`Remove that stage's folder and run \`leaf distill\` again.`,
    });
  }
  const witness = trainerWitness("calibrate", options);
  const done = await train({
    interpreter: resolveInterpreter(python.interpreter, project.root),
    signal: options.signal,
    onMessage: witness.onMessage,
    job: {
      v: 1,
      kind: "calibrate",
      out: dir,
      resume: true,
      seed: calibrate.seed,
      device: python.device,
      threads: python.threads ?? options.threads ?? null,
      student: { model: student.model, crop: student.input.crop, views: student.input.views, backbone },
      cache: cache.dir,
      rows: rowsFile,
      domain: domainFile,
      teacher: teacherFile,
      ...(targets.length > 0 && { targets: targets.map(({ name }) => name) }),
      epochs: calibrate.epochs,
      batch: calibrate.batch,
      microBatch: calibrate.microBatch,
      lr: calibrate.lr,
      weightDecay: calibrate.weightDecay,
      layerDecay: calibrate.layerDecay,
      warmup: 0.1,
      clip: 1,
      ema: null,
      amp: "auto",
      precision: python.precision,
      keep,
      headOnly: plan.headOnly,
      loss,
    },
  });
  return { done, hello: witness.hello };
}
