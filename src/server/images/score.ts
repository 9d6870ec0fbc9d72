import { existsSync } from "node:fs";
import path from "node:path";
import { LeafError } from "../../engine/base/errors.ts";
import { readJsonAs } from "../../engine/base/json.ts";
import { maxPixelsOf } from "../../engine/images/limits.ts";
import { scorerInfo } from "../../engine/scoring/currentScorer.ts";
import {
  heatFiles,
  type PictureSize,
  pictureFile,
  shownByBrowsers,
} from "../../engine/scoring/pictureFiles.ts";
import type { ScorerProcess } from "../../engine/scoring/process.ts";
import { colourLegend, type HeatMap, heatMapSchema } from "../../engine/student/heatMap.ts";
import type { HeatView, ImageRow } from "../../protocol/images.ts";
import { say } from "../../words/text.ts";
import type { LiveProject } from "../project.ts";
import { fileOf, uriOf } from "../uris.ts";

export interface Scored {
  scored: string[];
  failed: { hash: string; reason: string }[];
}

/** Scores images now, ahead of everything else, and keeps the scores. Throws what keeps all of them from being scored. */
export async function scoreNow(
  scorer: ScorerProcess,
  project: LiveProject,
  images: readonly { hash: string; file: string }[],
  options: { signal?: AbortSignal; onDone?: (done: number) => void } = {},
): Promise<Scored> {
  const context = await project.context();
  const result: Scored = { scored: [], failed: [] };
  const store = project.images.scores();
  let rows: Parameters<typeof store.put>[1] extends Iterable<infer Row> ? Row[] : never = [];
  const flush = () => {
    if (rows.length > 0) store.put(context.scorer.fingerprint, rows);
    rows = [];
  };
  try {
    await scorer.score(
      context.scorer,
      images.map(({ hash, file }) => ({ hash, path: file, maxPixels: maxPixelsOf(context.project.config) })),
      {
        priority: "now",
        signal: options.signal,
        onScored(one) {
          if ("reason" in one) result.failed.push(one);
          else {
            rows.push(one);
            result.scored.push(one.hash);
          }
          if (rows.length >= 64) flush();
          options.onDone?.(result.scored.length + result.failed.length);
        },
      },
    );
  } finally {
    flush();
  }
  return result;
}

/** URI of a picture that the editor can show, made if need be; null where the file cannot be read. */
export async function pictureOf(
  scorer: ScorerProcess,
  project: LiveProject,
  row: ImageRow,
  size: PictureSize,
  signal?: AbortSignal,
): Promise<string | null> {
  if (size === "full" && shownByBrowsers(row.format) && !row.linkedOut) return row.uri;
  const { cache, config } = project.project();
  const file = pictureFile(cache, row.hash, size);
  if (existsSync(file)) return uriOf(file);
  try {
    return uriOf(
      await scorer.picture({
        hash: row.hash,
        path: path.normalize(fileOf(row.uri)),
        maxPixels: maxPixelsOf(config),
        file,
        size,
        signal,
      }),
    );
  } catch (error) {
    if (error instanceof LeafError && error.code !== "cancelled") return null;
    throw error;
  }
}

/**
 * URIs of an image's heat map, made if need be; null before there is a student: the embedded teacher has none. Throws LeafErrors:
 * `input` from a student that was made before heat maps were, and what keeps the file from being read.
 */
export async function heatOf(
  scorer: ScorerProcess,
  project: LiveProject,
  image: { hash: string; file: string },
  signal?: AbortSignal,
): Promise<HeatView | null> {
  const { scorer: by } = await project.context();
  if (!by.card) return null;
  if (!by.card.outputs?.includes("map")) {
    throw new LeafError("input", say`The ${scorerInfo(by).title} was made before students had heat maps.`, {
      remedy: say`Run distill again, and calibrate, to get a student that has them.`,
    });
  }
  const { cache, config } = project.project();
  const files = heatFiles(cache, image.hash, by.fingerprint);
  // The cache may be deleted at any time, in part too.
  if (![files.figures, files.small, files.overlay].every((file) => existsSync(file)))
    await scorer.heat(by, {
      hash: image.hash,
      path: image.file,
      maxPixels: maxPixelsOf(config),
      files,
      signal,
    });
  const map = await readJsonAs<HeatMap>(files.figures, heatMapSchema);
  if (!map)
    throw new LeafError("failed", say`The heat map is gone from the cache.`, { remedy: say`Try again.` });
  return {
    small: uriOf(files.small),
    overlay: uriOf(files.overlay),
    legend: colourLegend(map),
    lowerIsBetter: map.lowerIsBetter,
  };
}
