import type { LabelResult } from "../../../protocol/results.ts";
import { digestLines, keyOf } from "../../base/keys.ts";
import { defaultMinConfidence } from "../../config/config.ts";
import type { LabelStore } from "../../labels/labels.ts";
import { readResult } from "../stage.ts";
import { usableLabels } from "./label.ts";
import { keptEpoch, trainingInputs } from "./training.ts";
import type { DistilledTarget, DistillPlan, Plan } from "./types.ts";

/** The labels it learns from, the images, and its own settings. */
export async function planDistill(plan: Plan): Promise<DistillPlan> {
  const { project, catalog } = plan;
  const { student, distill } = project.config;
  // How it is started changes no result.
  const { processes: _, launch: __, ...settings } = distill;
  const keep = keptEpoch(distill.keep, catalog);
  const label = await plan.label();
  const finished = await readResult(project, "label", label.key);
  const minConfidence = await plan.minConfidence();
  const temperature = await plan.temperature();
  const targets: DistilledTarget[] = [];
  const told: Record<string, unknown>[] = [];
  let labelled = finished !== undefined;
  for (const { name, plan: own } of plan.asked()) {
    const target = {
      label: await own.label(),
      minConfidence: await own.minConfidence(),
      temperature: await own.temperature(),
    };
    const result = await readResult(project, "label", target.label.key);
    labelled &&= result !== undefined;
    targets.push({ name, plan: own, ...target });
    const { temperature } = target;
    const minConfidence = target.minConfidence ?? defaultMinConfidence;
    told.push({ name, ...usedOf(result), minConfidence, temperature });
  }
  const inputs = {
    labels: label.key,
    ...usedOf(finished),
    ...(targets.length > 0 && { targets: told }),
    human: humanWords(plan),
    // Where all pairs count it changes nothing, and is the same for all.
    minConfidence: minConfidence ?? defaultMinConfidence,
    split: catalog.splitDigest,
    student: { ...student, input: { ...student.input, views: 0 } },
    views: student.input.views,
    distill: trainingInputs({ ...settings, keep, loss: { ...settings.loss, temperature } }),
  };
  const key = keyOf(inputs);
  const keys = { label: label.key, distill: key };
  return {
    stage: "distill",
    inputs,
    key,
    keys,
    label,
    labelled,
    minConfidence,
    temperature,
    keep,
    targets,
  };
}

/** How many labels there are, and which pairs where answers chose them. */
function usedOf(finished: (LabelResult & { chosen?: string }) | undefined) {
  return {
    usable: finished ? usableLabels(finished) : 0,
    ...(finished?.chosen && { pairs: finished.chosen }),
  };
}

/** The words of people that stand; 0 while there is none. One that is taken back leaves no trace. */
export function humanWords(plan: Plan): string | 0 {
  const store = plan.labels();
  const lines = store ? [...wordsOf(store)] : [];
  return lines.length === 0 ? 0 : digestLines(lines);
}

function* wordsOf(store: LabelStore): Generator<string> {
  for (const { image, score } of store.points(store.person)) yield `${image} ${score}`;
  for (const { a, b, p } of store.pairs(store.person)) yield `${a} ${b} ${p}`;
}
