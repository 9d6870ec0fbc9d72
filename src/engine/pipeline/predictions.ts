import path from "node:path";
import type { Project } from "../config/project.ts";
import { findColumn } from "../tables/findColumn.ts";
import { plainCell } from "../tables/formulaCells.ts";
import { openTable } from "../tables/table.ts";
import { stageDir } from "./stage.ts";

/** What a student said of a held-out image, and what people did; both on the MOS scale. */
export interface Prediction {
  hash: string;
  /** Relative to the config's folder, with forward slashes. */
  path: string;
  score: number;
  mos: number;
  /** By `split.groupBy`; empty for none. */
  group: string;
}

/** `target`: which of `EvaluateResult.targets`; the main one without. */
export function predictionsFile(project: Project, key: string, target?: number): string {
  const name = target === undefined ? "predictions.csv" : targetPredictions(target);
  return path.join(stageDir(project, "evaluate", key), name);
}

export function targetPredictions(target: number): string {
  return `predictions-${target + 1}.csv`;
}

/** Throws LeafErrors as `openTable`. */
export async function readPredictions(file: string): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  const table = await openTable(file);
  const at = ["hash", "image", "score", "mos"].map((name) => findColumn(file, table.columns, name));
  // Those of former versions have none.
  if (table.columns.includes("group")) at.push(table.columns.indexOf("group"));
  for await (const batch of table.batches(at))
    for (const { cells } of batch) {
      const [hash, image, score, mos, group = ""] = cells as [string, string, string, string, string?];
      predictions.push({
        hash,
        path: plainCell(image),
        score: Number(score),
        mos: Number(mos),
        group: plainCell(group),
      });
    }
  return predictions;
}
