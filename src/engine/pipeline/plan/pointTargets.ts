import type { LabelStore } from "../../labels/labels.ts";
import { countedPairs } from "../../labels/snapshot.ts";
import { rankedTargets, rankPreferences } from "../../reliability/ranking.ts";
import { sampledPairs } from "./label.ts";
import type { LabelPlan, Plan } from "./types.ts";

/**
 * What the student's score is held to, by image: the point-wise scores that stand, of training images by `distill.target` those of the
 * ranking. That goes by the pairs that are learnt from, sure or not, and by a person's words; an image that a person has scored keeps that.
 */
export function targetScores({ project }: Plan, label: LabelPlan, store: LabelStore): Map<string, number> {
  const { target } = project.config.distill;
  const { teacher, needs } = label;
  const scores = new Map<string, number>();
  const people = new Set<string>();
  for (const point of store.points(teacher)) {
    scores.set(point.image, point.score);
    if (point.human) people.add(point.image);
  }
  if (target === "points") return scores;
  const train = new Set(needs.train);
  const pairs = new Map<string, { a: string; b: string; p: number }>();
  for (const pair of countedPairs(store, {
    teacher,
    pairs: sampledPairs(project, label, store),
    minConfidence: null,
  }))
    pairs.set(`${pair.a} ${pair.b}`, pair);
  for (const pair of store.pairs(store.person))
    if (train.has(pair.a) && train.has(pair.b)) pairs.set(`${pair.a} ${pair.b}`, pair);
  for (const [hash, score] of rankedTargets(rankPreferences(pairs.values(), scores), target))
    if (!people.has(hash)) scores.set(hash, score);
  return scores;
}
