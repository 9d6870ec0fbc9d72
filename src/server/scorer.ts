import path from "node:path";
import { appRoot } from "../engine/base/appRoot.ts";
import { createScorerProcess, type ScorerProcess } from "../engine/scoring/process.ts";

/** The child that decodes and scores for this server; it starts with the first request. */
export function openScorer(): ScorerProcess {
  return createScorerProcess({ entry: path.join(appRoot(), "dist", "scorer.js") });
}
