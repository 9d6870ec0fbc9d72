import path from "node:path";
import { messageOf } from "../engine/base/errors.ts";
import { chunksOf } from "../engine/base/sqlite.ts";
import { openIndex } from "../engine/dataset/dataset.ts";
import { maxPixelsOf } from "../engine/images/limits.ts";
import type { LiveContext } from "../engine/scoring/context.ts";
import type { ScoredRow, ScorerProcess } from "../engine/scoring/process.ts";
import type { ScoreStore } from "../engine/scoring/scores.ts";

export interface ScoringEvents {
  /** Hashes whose score is new. */
  onScored(hashes: string[]): void;
  onProgress(done: number, total: number, busy: boolean): void;
  onError(message: string): void;
}

const tellEveryMs = 250;
const perCall = 256;

/** Scores what has no score yet, at low priority; a newer request replaces the one under way. */
export interface BackgroundScoring {
  /** Looks for images without a score of the context's scorer and, if enabled, goes through them. */
  update(context: LiveContext, enabled: boolean): void;
  stop(): void;
}

export function backgroundScoring(
  scorer: ScorerProcess,
  store: ScoreStore,
  events: ScoringEvents,
): BackgroundScoring {
  let controller: AbortController | undefined;

  async function go(context: LiveContext, enabled: boolean, signal: AbortSignal): Promise<void> {
    const index = openIndex(context.project.indexFile);
    try {
      const { fingerprint, kind } = context.scorer;
      const total = index.count();
      // The embedded teacher is asked for single images only: nothing long runs unasked.
      const wanted = enabled && kind === "student";
      events.onProgress(store.count(fingerprint), total, false);
      if (!wanted) return;
      const hashes = (function* () {
        for (const image of index.iterate()) yield image.hash;
      })();
      // Names only: a cursor left open for hours would keep the index from being written.
      const missing: string[] = [];
      for await (const hash of store.missingInSteps(fingerprint, hashes)) missing.push(hash);
      let rows: ScoredRow[] = [];
      let told = performance.now();
      const flush = () => {
        if (rows.length === 0) return;
        store.put(fingerprint, rows);
        events.onScored(rows.map((row) => row.hash));
        events.onProgress(store.count(fingerprint), total, true);
        [rows, told] = [[], performance.now()];
      };
      const { root, config } = context.project;
      const maxPixels = maxPixelsOf(config);
      for (const some of chunksOf(missing, perCall)) {
        const items = some.flatMap((hash) => {
          const image = index.byHash(hash);
          return image ? [{ hash, path: path.join(root, image.path), maxPixels }] : [];
        });
        await scorer.score(context.scorer, items, {
          priority: "background",
          signal,
          onScored(scored) {
            if (signal.aborted) return;
            if ("score" in scored) rows.push(scored);
            if (performance.now() - told > tellEveryMs) flush();
          },
        });
      }
      flush();
      events.onProgress(store.count(fingerprint), total, false);
    } finally {
      index.close();
    }
  }

  return {
    update(context, enabled) {
      controller?.abort();
      controller = new AbortController();
      const { signal } = controller;
      go(context, enabled, signal).catch((error) => {
        if (!signal.aborted) events.onError(messageOf(error));
      });
    },
    stop: () => controller?.abort(),
  };
}
