import { digestLines, keyOf } from "../../base/keys.ts";
import { defaultMinConfidence } from "../../config/config.ts";
import { human } from "../../labels/labels.ts";
import { readResult } from "../stage.ts";
import { usableLabels } from "./label.ts";
import { keptEpoch, trainingInputs } from "./training.ts";
import type { DistillPlan, Plan } from "./types.ts";

/** The labels it learns from, the images, and its own settings. */
export async function planDistill(plan: Plan): Promise<DistillPlan> {
  const { project, catalog } = plan;
  const { student, distill } = project.config;
  const { processes: _, ...settings } = distill;
  const keep = keptEpoch(distill.keep, catalog);
  const label = await plan.label();
  const finished = await readResult(project, "label", label.key);
  const minConfidence = await plan.minConfidence();
  const temperature = await plan.temperature();
  const inputs = {
    labels: label.key,
    usable: finished ? usableLabels(finished) : 0,
    ...(finished?.chosen && { pairs: finished.chosen }),
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
    labelled: finished !== undefined,
    minConfidence,
    temperature,
    keep,
  };
}

/** The words of people that stand; 0 while there is none. One that is taken back leaves no trace. */
export function humanWords(plan: Plan): string | 0 {
  const store = plan.labels();
  if (!store) return 0;
  const lines = [
    ...Array.from(store.points(human), ({ image, score }) => `${image} ${score}`),
    ...Array.from(store.pairs(human), ({ a, b, p }) => `${a} ${b} ${p}`),
  ];
  return lines.length === 0 ? 0 : digestLines(lines);
}
