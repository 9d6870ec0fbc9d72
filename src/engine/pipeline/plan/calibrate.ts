import path from "node:path";
import type { NetworkName } from "../../../protocol/head.ts";
import type { Text } from "../../../protocol/text.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { digestLines, keyOf } from "../../base/keys.ts";
import { calibratedFromBackbone, familyOf, recipes } from "../../config/recipes.ts";
import { chooseCalibrationSubset } from "../../dataset/calibrationSubset.ts";
import { mosToStudent } from "../../mos/scale.ts";
import { standardErrors, weightsByStd } from "../../mos/weights.ts";
import { sampleCandidates } from "../../selection/studentTable.ts";
import type { StageOptions } from "../stage.ts";
import { calibrationImages } from "./calibrationImages.ts";
import { ratedIn } from "./minConfidence.ts";
import { targetScores } from "./pointTargets.ts";
import { targetInputs, targetRows } from "./targets.ts";
import { fittedTeacherCheck } from "./teacherCheck.ts";
import { trainingInputs } from "./training.ts";
import type { CalibratePlan, Plan, TrainingRow } from "./types.ts";

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
      say`calibrate.ratio ${calibrate.ratio} leaves ${chosen.length} of ${rated.length} rated training images; at least 2 are needed.`,
      {
        file: project.configFile,
        remedy: say`Raise \`calibrate.ratio\`, or rate more images.`,
      },
    );
  }
  const target = (hash: string) => mosToStudent(catalog.mos.get(hash)!, mos);
  const validates = calibrate.validate && calibrate.method !== "closed-form";
  const validated = validates ? ratedIn(catalog, "val") : [];
  const targets = targetRows(plan, chosen, validates);
  const weights = weightsOf(calibrate.loss.weights, plan, chosen);
  const rows: TrainingRow[] = [
    ...chosen.map((hash, i) => ({
      hash,
      split: "train" as const,
      target: target(hash),
      ...(weights && { weight: weights[i] }),
    })),
    ...validated.map((hash) => ({ hash, split: "val" as const, target: target(hash) })),
  ];
  const teacherCheck =
    student && calibrate.from !== "backbone" ? await fittedTeacherCheck(plan, chosen, target) : undefined;
  const atChance = calibrate.from === "auto" && teacherCheck?.verdict === "chance";
  const networks = calibrate.method === "fine-tune" ? [] : weighed(calibrate, project.config.student.model);
  const starts =
    networks.length > 0 ? networks.includes("distilled") : calibrate.from !== "backbone" && !atChance;
  const distilled = starts ? student?.key : undefined;
  const settings: Calibrate =
    atChance && calibrate.method !== "closed-form"
      ? {
          ...calibratedFromBackbone(calibrate, recipes[familyOf(project.config.student.model)]),
          loss: { ...calibrate.loss, teacher: 0 },
        }
      : {
          ...calibrate,
          from: calibrate.from === "backbone" ? "backbone" : "distill",
          // Without a student that learnt from the teacher there is nothing to forget.
          ...(distilled ? {} : { loss: { ...calibrate.loss, teacher: 0 } }),
        };
  const reference = networks.length > 0 ? referenceImages(plan, chosen) : [];
  const taught =
    networks.length > 0 && refines(calibrate) ? await taughtImages(plan, [...chosen, ...reference]) : [];
  // What was decided, not how: `auto` and the same start by name are the same work. The rows say what was chosen.
  const {
    method,
    refine: _,
    ...fineTuning
  } = { ...settings, selection: "random", loss: told(settings.loss) };
  const training = trainingInputs(fineTuning);
  const inputs = {
    from: distilled ?? "backbone",
    student: project.config.student,
    calibrate: method === "closed-form" ? { method } : method === "best" ? { ...training, method } : training,
    rows: digestLines(rows.map((one) => [one.hash, one.split, one.target, one.weight].join(" ").trimEnd())),
    range: mos.range,
    lowerIsBetter: mos.lowerIsBetter,
    ...targetInputs(targets, mos),
    ...(networks.length > 0 && {
      networks,
      groups: digestLines(chosen.map((hash) => catalog.groupOf(hash))),
      reference: digestLines(reference),
      ...(taught.length > 0 && { refined: digestLines(taught.map(({ hash, score }) => `${hash} ${score}`)) }),
    }),
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
    targets,
    chosen: chosen.length,
    headOnly: calibrate.method !== "closed-form" && chosen.length < settings.headOnlyBelow,
    networks,
    reference,
    taught,
  };
}

/** By how sure each image's MOS is; undefined where all count alike. */
function weightsOf(by: Calibrate["loss"]["weights"], { catalog }: Plan, chosen: readonly string[]) {
  if (by === "none") return undefined;
  const stds = chosen.map((hash) => catalog.mosStd.get(hash));
  if (by === "std") return weightsByStd(stds);
  return weightsByStd(
    standardErrors(
      stds,
      chosen.map((hash) => catalog.mosCount.get(hash)),
    ),
  );
}

/** The closed form weighs the distilled student against the network as it comes; random weights know nothing to weigh. */
function weighed({ from }: Calibrate, model: string): NetworkName[] {
  if (from === "distill" || (from === "auto" && model === "atto")) return ["distilled"];
  return from === "backbone" ? ["pretrained"] : ["distilled", "pretrained"];
}

/** How features spread is told by the chosen images and, where these are few, by others of the training images. */
const leastImages = 256;

function referenceImages({ catalog, project }: Plan, chosen: readonly string[]): string[] {
  const own = new Set(chosen);
  const others = catalog.hashes.filter((hash) => catalog.splitOf(hash) === "train" && !own.has(hash));
  return sampleCandidates(
    others,
    project.config.calibrate.seed,
    Math.max(0, leastImages - chosen.length),
    "reference",
  ).sort();
}

/** More of a teacher's scores take features of more images, and hardly change what a ridge learns from them. */
const mostTaught = 1000;

function refines({ refine, from }: Calibrate): boolean {
  return refine === "auto" ? from !== "backbone" : refine;
}

/** What the teacher says of training images: of those that are `there` anyway, or of a seeded sample as the student learns it. */
async function taughtImages(plan: Plan, there: readonly string[]): Promise<CalibratePlan["taught"]> {
  const label = await plan.label();
  const { teacher, needs } = label;
  const store = plan.labels();
  if (!store) return [];
  const { refine, seed } = plan.project.config.calibrate;
  const sample = (hashes: string[]) => sampleCandidates(hashes, seed, mostTaught, "refine");
  if (refine === "auto") {
    // One by one: a plan is made often, and the labels may be many.
    const asked = new Set(needs.train);
    return sample(there.filter((hash) => asked.has(hash)).sort()).flatMap((hash) => {
      const score = store.point(teacher, hash)?.score;
      return score !== undefined && Number.isFinite(score) ? [{ hash, score }] : [];
    });
  }
  const scores = targetScores(plan, label, store);
  return sample(needs.train.filter((hash) => Number.isFinite(scores.get(hash)))).map((hash) => ({
    hash,
    score: scores.get(hash)!,
  }));
}

/** Without what has no effect, so that what an older LEAF calibrated is the same work. */
function told({ teacher, weights, ...loss }: Calibrate["loss"]) {
  return { ...loss, ...(teacher > 0 && { teacher }), ...(weights !== "none" && { weights }) };
}

/** The config names no human scores: `leaf run` passes over the stages that need them. */
export class NoHumanScores extends LeafError {
  constructor(message: Text, details: { file: string; remedy: Text }) {
    super("config", message, details);
  }
}
