import type { Config } from "../../config/config.ts";
import type { Catalog } from "../../dataset/catalog.ts";

/** Settings of a training as inputs: without what changes no result. What was always so is left out: work that was finished before it could differ stays fresh. */
export function trainingInputs({
  layerDecay,
  microBatch: _,
  target = "points",
  ...others
}: { layerDecay: number; microBatch: number | null; target?: string } & Record<string, unknown>): Record<
  string,
  unknown
> {
  return { ...others, ...(layerDecay !== 1 && { layerDecay }), ...(target !== "points" && { target }) };
}

/** With fewer val images than this the best epoch on them is one that was lucky, and often one that hardly trained. */
export const enoughToChoose = 200;

/** Which epoch becomes the student. */
export function keptEpoch(keep: Config["distill"]["keep"], catalog: Catalog): "best" | "last" {
  if (keep !== "auto") return keep;
  return catalog.counts.val < enoughToChoose ? "last" : "best";
}
