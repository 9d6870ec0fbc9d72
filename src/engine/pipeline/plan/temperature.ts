import * as z from "zod";
import type { LeastConfidence } from "../../labels/counting.ts";
import type { LabelStore } from "../../labels/labels.ts";
import { countedPairs } from "../../labels/snapshot.ts";
import {
  defaultTemperature,
  fitPairTemperature,
  mostFittedPairs,
  type ScoredPairs,
} from "../../reliability/pairTemperature.ts";
import { readResult } from "../stage.ts";
import { humanWords } from "./distill.ts";
import { fitted } from "./fitted.ts";
import { sampledPairs, usableLabels } from "./label.ts";
import { targetScores } from "./pointTargets.ts";
import type { LabelPlan, Plan } from "./types.ts";

/** T of the pair-wise loss: the config's number, or fitted to the labels that are learnt from. 1 before there are any. */
export async function plannedTemperature(plan: Plan): Promise<number> {
  const { temperature } = plan.project.config.distill.loss;
  if (temperature !== "auto") return temperature;
  const label = await plan.label();
  const finished = await readResult(plan.project, "label", label.key);
  if (!finished) return defaultTemperature;
  // An answer that is there stays as it is: so many labels of this key are always the same ones.
  const { target } = plan.project.config.distill;
  const inputs = {
    usable: usableLabels(finished),
    minConfidence: await plan.minConfidence(),
    ...(finished.chosen && { pairs: finished.chosen }),
    ...(target !== "points" && { target, human: humanWords(plan) }),
  };
  return fitted(plan, "temperature", inputs, z.number().positive(), () => {
    const store = plan.labels();
    return store
      ? fitPairTemperature(scoredPairs(plan, store, label, inputs.minConfidence))
      : defaultTemperature;
  });
}

function scoredPairs(
  plan: Plan,
  store: LabelStore,
  label: LabelPlan,
  minConfidence: LeastConfidence,
): ScoredPairs {
  const { teacher } = label;
  const { project } = plan;
  // What the student's score is held to: a student that follows it then has no gradient along its scale.
  const scores =
    project.config.distill.target === "points" ? store.ownScores(teacher) : targetScores(plan, label, store);
  const [p, weight, difference]: [number[], number[], number[]] = [[], [], []];
  const pairs = sampledPairs(project, label, store);
  for (const pair of countedPairs(store, { teacher, pairs, minConfidence })) {
    const [a, b] = [scores.get(pair.a), scores.get(pair.b)];
    // A person's word says nothing of the teacher's scale.
    if (pair.human || a === undefined || b === undefined) continue;
    p.push(pair.p);
    weight.push(pair.weight);
    difference.push(a - b);
    if (p.length >= mostFittedPairs) break;
  }
  return {
    p: Float64Array.from(p),
    weight: Float64Array.from(weight),
    difference: Float64Array.from(difference),
  };
}
