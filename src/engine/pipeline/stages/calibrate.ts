import { existsSync } from "node:fs";
import path from "node:path";
import type { CalibrateResult } from "../../../protocol/results.ts";
import { figure, interval } from "../../../words/figure.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { digestLines, keyOf } from "../../base/keys.ts";
import type { Project } from "../../config/project.ts";
import { chooseCalibrationSubset } from "../../dataset/calibrationSubset.ts";
import { type Catalog, openCatalog } from "../../dataset/catalog.ts";
import { readFailures } from "../../failures/list.ts";
import { mosToStudent } from "../../mos/scale.ts";
import { resolveInterpreter } from "../../python/environment.ts";
import { type TeacherCheck, teacherCheckOf } from "../../reliability/teacherCheck.ts";
import { carryOut } from "../carryOut.ts";
import { recordStage } from "../runs.ts";
import { finishedResult, isFinished, type StageOptions, stageDir, writeResult } from "../stage.ts";
import { train } from "../trainer.ts";
import { calibrationImages } from "./calibrationImages.ts";
import { distillKey } from "./distill.ts";
import { labelState } from "./label.ts";
import {
  type TrainingRow,
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

type Calibrate = Project["config"]["calibrate"];

/**
 * A network that has seen no score yet takes higher rates and more passes than one that has learnt from a teacher, and all of
 * it must move: the ratios of the demo's two arms (demo/arms.ts), which were chosen on its validation photos. At the rates for
 * a distilled student it hardly gets off the ground (SRCC .29 against .56 on the demo's data, 50 ratings).
 */
function fromBackbone(calibrate: Calibrate): Calibrate {
  // Rounded: the same number as somebody would write, so that it is the same work.
  const higher = (rate: number) => Number((5 * rate).toPrecision(12));
  return {
    ...calibrate,
    from: "backbone",
    epochs: 2 * calibrate.epochs,
    lr: { backbone: higher(calibrate.lr.backbone), head: higher(calibrate.lr.head) },
    headOnlyBelow: 0,
  };
}

export interface CalibratePlan {
  key: string;
  /** Key of the distilled student it starts from; undefined where it starts from the backbone alone. */
  distilled: string | undefined;
  /** Stages that the choice of images and of the start stands on; none for the CFT-only baseline. */
  keys: { label?: string; distill?: string };
  /** What the chosen images say of the teacher; undefined where nothing depends on it. */
  teacherCheck: TeacherCheck | undefined;
  /** `calibrate:` as it is carried out. */
  settings: Calibrate;
  rows: TrainingRow[];
  /** Chosen training images; their MOS are all that calibration sees. */
  chosen: number;
  headOnly: boolean;
}

/**
 * Which images calibrate what: a function of config, labels, MOS and (for selections other than random) the distilled student.
 * Throws LeafError `config` where there is no MOS to calibrate with, StageNotReady where the student that chooses the images is
 * missing, or has not chosen yet: then it does with `choose`.
 */
export async function planCalibration(
  project: Project,
  catalog: Catalog,
  choose?: StageOptions,
): Promise<CalibratePlan> {
  const { mos, calibrate } = project.config;
  if (!mos) {
    throw new LeafError(
      "config",
      say`${path.basename(project.configFile)} names no human scores to calibrate with.`,
      {
        file: project.configFile,
        remedy: say`Add \`mos: { file: …, image: …, score: … }\`; without it the distilled student is the result.`,
      },
    );
  }
  const rated = (split: "train" | "val") =>
    catalog.hashes.filter((hash) => catalog.splitOf(hash) === split && catalog.mos.has(hash));
  const needed = calibrate.from !== "backbone" || calibrate.selection !== "random";
  const labels = needed ? await labelState(project, catalog) : undefined;
  const student = labels && { labels, key: distillKey(project, catalog, labels) };
  const chosen = student
    ? await calibrationImages(project, catalog, rated("train"), { ...student, choose })
    : chooseCalibrationSubset(rated("train"), calibrate.ratio, calibrate.seed);
  if (chosen.length < 2) {
    throw new LeafError(
      "config",
      say`calibrate.ratio ${calibrate.ratio} leaves ${chosen.length} of ${rated("train").length} rated training images; 2 are the least.`,
      {
        file: project.configFile,
        remedy: say`Raise \`calibrate.ratio\`, or rate more images.`,
      },
    );
  }
  const row = (split: "train" | "val") => (hash: string) => ({
    hash,
    split,
    target: mosToStudent(catalog.mos.get(hash)!, mos),
  });
  const rows = [...chosen.map(row("train")), ...(calibrate.validate ? rated("val").map(row("val")) : [])];
  const teacherCheck =
    labels && calibrate.from !== "backbone"
      ? teacherCheckOf(project, labels.teacher, chosen, (hash) => mosToStudent(catalog.mos.get(hash)!, mos))
      : undefined;
  const atChance = calibrate.from === "auto" && teacherCheck?.verdict === "chance";
  const distilled = calibrate.from === "backbone" || atChance ? undefined : student?.key;
  const settings: Calibrate = atChance
    ? fromBackbone(calibrate)
    : { ...calibrate, from: distilled ? "distill" : "backbone" };
  const headOnly = chosen.length < settings.headOnlyBelow;
  // What was decided, not how: `auto` and the same start by name are the same work. The rows say what was chosen.
  const key = keyOf({
    from: distilled ?? "backbone",
    student: project.config.student,
    calibrate: { ...settings, selection: "random" },
    rows: digestLines(rows.map((one) => `${one.hash} ${one.split} ${one.target}`)),
    range: mos.range,
    lowerIsBetter: mos.lowerIsBetter,
  });
  const keys = student ? { label: student.labels.key, distill: student.key } : {};
  return { key, distilled, keys, teacherCheck, settings, rows, chosen: chosen.length, headOnly };
}

/** CFT: fine-tunes the distilled student on the chosen images' MOS, so that its scores are on the human scale. */
export async function calibrateStage(project: Project, options: StageOptions = {}): Promise<CalibrateResult> {
  const catalog = await openCatalog(project, options);
  try {
    const plan = await planCalibration(project, catalog, options);
    tellOfTeacher(plan, project, options);
    if (plan.distilled && !isFinished(project, "distill", plan.distilled)) {
      throw new LeafError("failed", say`There is no distilled student for this config yet.`, {
        remedy: say`Run \`leaf distill\` first, or \`leaf run\` for all stages.`,
      });
    }
    const dir = stageDir(project, "calibrate", plan.key);
    return await carryOut(project, "calibrate", plan.key, {
      keys: { ...plan.keys, calibrate: plan.key },
      work: () => calibrateStudent(project, catalog, plan, dir, options),
      async record(run, reused) {
        const finished = await finishedResult(project, "calibrate", plan.key);
        const failures = await readFailures(dir);
        const result: CalibrateResult = {
          run: run.id,
          student: path.join(dir, "student.onnx"),
          reused,
          ...finished,
          from: plan.distilled ? "distill" : "backbone",
          teacherCheck: plan.teacherCheck,
          ...(failures && { failures }),
        };
        await recordStage(project, run, "calibrate", { key: plan.key, seconds: finished.durationS, result });
        return result;
      },
    });
  } finally {
    catalog.close();
  }
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
  project: Project,
  catalog: Catalog,
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
    await writeResult(project, "calibrate", plan.key, finished);
  } finally {
    cache.release();
  }
}
