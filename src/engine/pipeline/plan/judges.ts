import { membersOf, type OneTeacherConfig } from "../../config/teacher.ts";
import { chooseCalibrationSubset } from "../../dataset/calibrationSubset.ts";
import { ownPoints } from "../../labels/teacherAnswers.ts";
import { mosToStudent } from "../../mos/scale.ts";
import { teacherFingerprint } from "../../teachers/createTeacher.ts";
import { identify } from "../../teachers/ensemble/identity.ts";
import { type EnsembleWeights, fitWeights, fixedWeights } from "../../teachers/ensemble/weights.ts";
import { ratedIn } from "./minConfidence.ts";
import type { Judges, Member, Plan } from "./types.ts";

/** The config's teacher. Of an ensemble with `weights: auto` it depends on labels and ratings as they are. */
export async function plannedJudges(plan: Plan): Promise<Judges> {
  const { config, root } = plan.project;
  const members: Member[] = [];
  for (const one of membersOf(config.teacher))
    members.push({ config: one, fingerprint: await teacherFingerprint(one, root) });
  if (config.teacher.kind !== "ensemble") return { fingerprint: members[0]!.fingerprint, members };
  const { weights: wanted } = config.teacher;
  const weights =
    wanted === "auto"
      ? fittedWeights(plan, members)
      : fixedWeights(wanted === "equal" ? members.map(() => 1) : wanted);
  const identity = identify(
    members.map(({ config, fingerprint }) => ({ fingerprint, kind: config.kind, model: modelOf(config) })),
    weights,
  );
  return { fingerprint: identity.fingerprint, members, ensemble: { identity, weights } };
}

export function modelOf(config: OneTeacherConfig): string | undefined {
  return "model" in config ? config.model : undefined;
}

/** By the calibration images alone, whose MOS are spent anyhow: the random ones, as for `label.minConfidence: auto`. */
function fittedWeights({ project, catalog, labels }: Plan, members: readonly Member[]): EnsembleWeights {
  const { mos, calibrate } = project.config;
  const store = labels();
  if (!mos || !store) return fitWeights([], members.length);
  const chosen = chooseCalibrationSubset(ratedIn(catalog, "train"), calibrate.ratio, calibrate.seed);
  const said = members.map(
    ({ fingerprint }) =>
      new Map(Array.from(ownPoints(store, fingerprint, chosen), ({ image, score }) => [image, score])),
  );
  const rated = chosen.flatMap((hash) => {
    const scores = said.map((one) => one.get(hash) ?? Number.NaN);
    return scores.every(Number.isFinite)
      ? [{ hash, truth: mosToStudent(catalog.mos.get(hash)!, mos), scores }]
      : [];
  });
  return fitWeights(rated, members.length);
}
