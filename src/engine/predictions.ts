import { createReadStream } from "node:fs";
import path from "node:path";
import { parse } from "csv-parse";
import type { Project } from "./project.ts";
import { stageDir } from "./stages/stage.ts";

/** What a student said of a held-out image, and what people did; both on the MOS scale. */
export interface Prediction {
  hash: string;
  /** Relative to the config's folder, with forward slashes. */
  path: string;
  score: number;
  mos: number;
}

export function predictionsFile(project: Project, key: string): string {
  return path.join(stageDir(project, "evaluate", key), "predictions.csv");
}

export async function readPredictions(file: string): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  const rows = createReadStream(file).pipe(parse({ columns: true, skip_empty_lines: true }));
  for await (const row of rows as AsyncIterable<Record<"image" | "hash" | "score" | "mos", string>>)
    predictions.push({ hash: row.hash, path: row.image, score: Number(row.score), mos: Number(row.mos) });
  return predictions;
}
