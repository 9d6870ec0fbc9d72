import { existsSync } from "node:fs";
import path from "node:path";
import type { CalibrateResult } from "../../../protocol/results.ts";
import { figure, interval } from "../../../words/figure.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import type { Project } from "../../config/project.ts";
import { readFailures } from "../../failures/list.ts";
import { resolveInterpreter } from "../../python/environment.ts";
import { carryOut } from "../carryOut.ts";
import { withPlan } from "../plan/plan.ts";
import type { CalibratePlan, Plan } from "../plan/types.ts";
import { recordStage } from "../runs.ts";
import {
  finishedResult,
  isFinished,
  type StageOptions,
  stageDir,
  withCatalog,
  writeResult,
} from "../stage.ts";
import { train } from "../trainer.ts";
import {
  tellUndecoded,
  trainerWitness,
  trainingCache,
  untargetedRows,
  writeCard,
  writeRows,
} from "./training.ts";

interface Finished {
  durationS: number;
  images: number;
  headOnly: boolean;
}

/** CFT: fine-tunes the distilled student on the chosen images' MOS, so that its scores are on the human scale. */
export async function calibrateStage(project: Project, options: StageOptions = {}): Promise<CalibrateResult> {
  return withCatalog(project, options, (catalog) =>
    withPlan(project, catalog, async (plan) => {
      const calibrate = await plan.calibrate(options);
      tellOfTeacher(calibrate, project, options);
      if (calibrate.distilled && !isFinished(project, "distill", calibrate.distilled)) {
        throw new LeafError("failed", say`There is no distilled student for this config yet.`, {
          remedy: say`Run \`leaf distill\` first, or \`leaf run\` for all stages.`,
        });
      }
      const { key } = calibrate;
      const dir = stageDir(project, "calibrate", key);
      return carryOut(project, calibrate, {
        work: () => calibrateStudent(plan, calibrate, dir, options),
        async record(run, reused) {
          const { inputs: _, ...finished } = await finishedResult(project, "calibrate", key);
          const failures = await readFailures(dir);
          const result: CalibrateResult = {
            run: run.id,
            student: path.join(dir, "student.onnx"),
            reused,
            ...finished,
            from: calibrate.distilled ? "distill" : "backbone",
            teacherCheck: calibrate.teacherCheck,
            ...(failures && { failures }),
          };
          await recordStage(project, run, "calibrate", { key, seconds: finished.durationS, result });
          return result;
        },
      });
    }),
  );
}

/** A teacher that the human scores do not agree with is told of, whatever the config makes of it. */
function tellOfTeacher(
  { teacherCheck, distilled }: CalibratePlan,
  project: Project,
  options: StageOptions,
): void {
  if (teacherCheck?.verdict !== "chance" && teacherCheck?.verdict !== "unclear") return;
  const { n, srcc, ci95 } = teacherCheck;
  const figures =
    srcc === null
      ? say`its scores are all equal`
      : say`SRCC ${figure(srcc)}, 95 % interval ${interval(ci95) || say`unknown`}`;
  const means =
    teacherCheck.verdict === "unclear"
      ? say`rate more images to be sure`
      : distilled
        ? say`the distilled student may be worse than none: consider \`calibrate.from: backbone\``
        : say`calibration starts from the backbone alone, at five times the rates and twice the epochs; \`calibrate.from: distill\` insists on the distilled student`;
  options.onWarning?.(
    say`the teacher (${project.config.teacher.kind}) does not clearly agree with the ${n} human scores (${figures}); ${means}`,
  );
}

async function calibrateStudent(
  { project, catalog }: Plan,
  plan: CalibratePlan,
  dir: string,
  options: StageOptions,
): Promise<void> {
  const { student, python, mos } = project.config;
  const calibrate = plan.settings;
  const interpreter = resolveInterpreter(python.interpreter, project.root);
  const cache = await trainingCache(project, catalog, "calibrate", options);
  try {
    const chosen = plan.rows.filter((row) => row.split === "train").map((row) => row.hash);
    const undecoded = await tellUndecoded(project, "calibrate", dir, chosen, cache.failed, options);
    const images = plan.chosen - undecoded;
    const rowsFile = path.join(dir, "rows.csv");
    await writeRows(rowsFile, plan.rows, cache.rowOf);
    const domainFile = path.join(dir, "domain.csv");
    await writeRows(domainFile, untargetedRows(catalog), cache.rowOf);
    const backbone = plan.distilled
      ? path.join(stageDir(project, "distill", plan.distilled), "checkpoints", "best.pt")
      : null;
    if (backbone && !existsSync(backbone)) {
      throw new LeafError("failed", say`${backbone} is missing.`, {
        remedy: say`Remove that stage's folder and run \`leaf distill\` again.`,
      });
    }
    const witness = trainerWitness("calibrate", options);
    const done = await train({
      interpreter,
      processes: 1,
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
        epochs: calibrate.epochs,
        batch: calibrate.batch,
        lr: calibrate.lr,
        weightDecay: calibrate.weightDecay,
        layerDecay: calibrate.layerDecay,
        warmup: 0.1,
        clip: 1,
        ema: null,
        amp: "auto",
        keep: "best",
        headOnly: plan.headOnly,
        loss: calibrate.loss,
      },
    });
    const mosScale = { range: mos!.range, lowerIsBetter: mos!.lowerIsBetter };
    await writeCard(
      project,
      dir,
      { stage: "calibrate", stageKey: plan.key, teacher: null, images, mosScale },
      done,
      witness.hello,
    );
    const finished: Finished = { durationS: done.durationS, images, headOnly: plan.headOnly };
    await writeResult(project, plan, finished);
  } finally {
    cache.release();
  }
}
