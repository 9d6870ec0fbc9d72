import path from "node:path";
import type { Text } from "../../../protocol/text.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { digestLines, keyOf } from "../../base/keys.ts";
import { calibratedFromBackbone, familyOf, recipes } from "../../config/recipes.ts";
import { chooseCalibrationSubset } from "../../dataset/calibrationSubset.ts";
import { mosToStudent } from "../../mos/scale.ts";
import type { StageOptions } from "../stage.ts";
import { calibrationImages } from "./calibrationImages.ts";
import { ratedIn } from "./minConfidence.ts";
import { fittedTeacherCheck } from "./teacherCheck.ts";
import { trainingInputs } from "./training.ts";
import type { CalibratePlan, Plan } from "./types.ts";

type Calibrate = CalibratePlan["settings"];

/**
 * Which images calibrate what: a function of config, labels, MOS and (for selections other than random) the distilled student.
 * Throws NoHumanScores where there is no MOS to calibrate with, LeafError `config` where there are too few, StageNotReady where the
 * student that chooses the images is missing, or has not chosen yet: then it does with `choose`.
 */
export async function planCalibrate(plan: Plan, choose?: StageOptions): Promise<CalibratePlan> {
  const { project, catalog } = plan;
  const { mos, calibrate } = project.config;
  if (!mos) {
    const file = path.basename(project.configFile);
    throw new NoHumanScores(say`${file} names no human scores to calibrate with.`, {
      file: project.configFile,
      remedy: say`Add \`mos: { file: …, image: …, score: … }\`; without it the distilled student is the result.`,
    });
  }
  const rated = ratedIn(catalog, "train");
  const needed = calibrate.from !== "backbone" || calibrate.selection !== "random";
  const student = needed ? await plan.distill() : undefined;
  const chosen = student
    ? await calibrationImages(plan, rated, student, choose)
    : chooseCalibrationSubset(rated, calibrate.ratio, calibrate.seed);
  if (chosen.length < 2) {
    throw new LeafError(
      "config",
      say`calibrate.ratio ${calibrate.ratio} leaves ${chosen.length} of ${rated.length} rated training images; 2 are the least.`,
      {
        file: project.configFile,
        remedy: say`Raise \`calibrate.ratio\`, or rate more images.`,
      },
    );
  }
  const target = (hash: string) => mosToStudent(catalog.mos.get(hash)!, mos);
  const row = (split: "train" | "val") => (hash: string) => ({ hash, split, target: target(hash) });
  const validated = calibrate.validate ? ratedIn(catalog, "val") : [];
  const rows = [...chosen.map(row("train")), ...validated.map(row("val"))];
  const teacherCheck =
    student && calibrate.from !== "backbone" ? await fittedTeacherCheck(plan, chosen, target) : undefined;
  const atChance = calibrate.from === "auto" && teacherCheck?.verdict === "chance";
  const distilled = calibrate.from === "backbone" || atChance ? undefined : student?.key;
  const settings: Calibrate = atChance
    ? calibratedFromBackbone(calibrate, recipes[familyOf(project.config.student.model)])
    : { ...calibrate, from: distilled ? "distill" : "backbone" };
  // What was decided, not how: `auto` and the same start by name are the same work. The rows say what was chosen.
  const inputs = {
    from: distilled ?? "backbone",
    student: project.config.student,
    calibrate: trainingInputs({ ...settings, selection: "random" }),
    rows: digestLines(rows.map((one) => `${one.hash} ${one.split} ${one.target}`)),
    range: mos.range,
    lowerIsBetter: mos.lowerIsBetter,
  };
  const key = keyOf(inputs);
  return {
    stage: "calibrate",
    inputs,
    key,
    keys: { ...student?.keys, calibrate: key },
    distilled,
    teacherCheck,
    settings,
    rows,
    chosen: chosen.length,
    headOnly: chosen.length < settings.headOnlyBelow,
  };
}

/** The config names no human scores: `leaf run` passes over the stages that need them. */
export class NoHumanScores extends LeafError {
  constructor(message: Text, details: { file: string; remedy: Text }) {
    super("config", message, details);
  }
}
