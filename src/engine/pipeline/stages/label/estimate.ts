import type { LabelEstimate } from "../../../../protocol/preview.ts";
import type { LabelStore } from "../../../labels/labels.ts";
import type { Teacher } from "../../../teachers/teacher.ts";
import { judgedImages, sampledPairs } from "../../plan/label.ts";
import type { LabelPlan, Plan } from "../../plan/types.ts";
import type { LabelOptions } from "./options.ts";
import { teacherImage } from "./teacher.ts";

/** What is left to label by the store, and what that takes by one trial request. */
export async function estimateMissing(
  { project, catalog }: Plan,
  label: LabelPlan,
  store: LabelStore,
  teacher: Teacher,
  options: LabelOptions,
): Promise<LabelEstimate> {
  const { orders, reasons } = project.config.label;
  const { fingerprint } = teacher;
  const { checks } = label.needs;
  const count = (items: Iterable<unknown>) => {
    let n = 0;
    for (const _ of items) n++;
    return n;
  };
  const [points, pairs] = [options.only !== "pairs", options.only !== "points"];
  const judged = judgedImages(label.needs);
  // A pair that is learnt from and checked is asked once.
  const checked = new Set(checks.pairs.map(String));
  function* asked(): Generator<[string, string]> {
    for (const pair of sampledPairs(project, label, store)) if (!checked.has(String(pair))) yield pair;
    yield* checks.pairs;
  }
  const missing = {
    points: points ? count(store.missingPoints(fingerprint, new Set([...judged, ...checks.images]))) : 0,
    pairs: pairs ? count(store.missingPairs(fingerprint, asked(), orders)) : 0,
    reasons: points && reasons && teacher.explain ? count(store.missingReasons(fingerprint, judged)) : 0,
  };
  const sample = teacherImage(catalog, catalog.hashes[0]!);
  const estimate = await teacher.estimate?.({ ...missing, orders }, sample, options.signal);
  const nothing = { requests: 0, inputTokens: 0, outputTokens: 0, cost: null };
  return { images: judged.length, missing, ...(estimate ?? nothing) };
}
