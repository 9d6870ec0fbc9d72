import { keyOf } from "../../base/keys.ts";
import type { LabelPlan, Plan } from "./types.ts";

/** Who judges which images in which pairs: needs no label store. */
export async function planLabel(plan: Plan): Promise<LabelPlan> {
  const { pairsPerImage, pairs, seed, orders } = plan.project.config.label;
  const teacher = await plan.teacher();
  const inputs = {
    teacher,
    images: plan.catalog.digestOf(plan.catalog.hashes),
    pairsPerImage,
    pairs,
    seed,
    ...(orders === "one" && { orders }),
  };
  const key = keyOf(inputs);
  return { stage: "label", inputs, key, keys: { label: key }, teacher };
}
