import path from "node:path";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { digestLines, keyOf } from "../../base/keys.ts";
import type { Config } from "../../config/config.ts";
import { NoHumanScores } from "./calibrate.ts";
import { ratedIn } from "./minConfidence.ts";
import { ratedOf } from "./targets.ts";
import type { Evaluated, EvaluatedTarget, EvaluatePlan, Plan, StageInputs } from "./types.ts";

/** Fewer scores have no correlation worth the name. */
export const leastRated = 3;

/** Which student is judged on which images. Throws LeafError `config` where the split holds no rated image. */
export async function planEvaluate(plan: Plan, student: Evaluated): Promise<EvaluatePlan> {
  const { project, catalog } = plan;
  const { mos, evaluate } = project.config;
  const file = project.configFile;
  if (!mos) {
    throw new NoHumanScores(say`${path.basename(file)} names no human scores to evaluate with.`, {
      file,
      remedy: say`Add \`mos: { file: …, image: …, score: … }\`.`,
    });
  }
  const hashes = ratedIn(catalog, evaluate.split);
  if (hashes.length < leastRated) {
    throw new LeafError(
      "config",
      say`The ${evaluate.split} split has ${hashes.length} images with a MOS; at least ${leastRated} are needed.`,
      { file, remedy: say`Raise \`split.test\`, or rate more images.` },
    );
  }
  const evaluated = student === "distill" ? await plan.distill() : await plan.calibrate();
  const calibration =
    "rows" in evaluated ? evaluated.rows.filter((row) => row.split === "train").map((row) => row.hash) : [];
  const truth = hashes.map((hash) => ({
    hash,
    mos: catalog.mos.get(hash)!,
    group: catalog.groupNameOf(hash),
  }));
  const targets = evaluatedTargets(plan, evaluated);
  const inputs = {
    ...evaluationInputs(project.config, evaluated.key, truth),
    ...(targets.length > 0 && { targets: targets.map(targetInput) }),
  };
  return {
    stage: "evaluate",
    inputs,
    key: keyOf(inputs),
    keys: evaluated.keys,
    student,
    studentKey: evaluated.key,
    hashes,
    targets,
    calibration,
  };
}

/** Those that the student has learnt and enough images have a score of. */
function evaluatedTargets(
  plan: Plan,
  { targets }: { targets: readonly { name: string }[] },
): EvaluatedTarget[] {
  return (plan.catalog.targets ?? []).flatMap((target) => {
    const hashes = ratedOf(plan, target, plan.project.config.evaluate.split);
    const learnt = targets.some(({ name }) => name === target.name);
    return learnt && hashes.length >= leastRated ? [{ ...target, hashes }] : [];
  });
}

function targetInput({ name, range, lowerIsBetter, hashes, mos }: EvaluatedTarget) {
  const truth = digestLines(hashes.map((hash) => `${hash} ${mos.get(hash)}`));
  return { name, range, lowerIsBetter, truth };
}

/** `truth` in order of hash. */
export function evaluationInputs(
  { evaluate, mos }: Config,
  student: string,
  truth: readonly { hash: string; mos: number; group?: string }[],
): StageInputs {
  return {
    student,
    evaluate,
    truth: digestLines(truth.map(({ hash, mos }) => `${hash} ${mos}`)),
    range: mos!.range,
    lowerIsBetter: mos!.lowerIsBetter,
    // The intervals are drawn by them.
    ...(truth.some(({ group }) => group) && {
      groups: digestLines(truth.map(({ hash, group = "" }) => `${hash} ${group}`)),
    }),
  };
}
