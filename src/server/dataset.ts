import path from "node:path";
import { keyOf } from "../engine/base/keys.ts";
import { ensureLeafDir, type Project } from "../engine/config/project.ts";
import { indexDataset } from "../engine/dataset/dataset.ts";
import { updateIndex } from "../engine/dataset/index/update.ts";
import { watchImages } from "../engine/dataset/watch/watch.ts";
import { maxPixelsOf } from "../engine/images/limits.ts";

export interface DatasetEvents {
  /** Images came, changed or went, and the index knows: paths relative to the config's folder. */
  onChanged(paths: string[]): void;
  onError(error: unknown): void;
}

/** Keeps the image index of a project current: one scan when it is opened, then only what the watcher tells. */
export interface LiveDataset {
  /** Resolves once the index is current for these images; scans anew only where `images:` changed or on demand. */
  open(project: Project, options: { usePolling: boolean; rescan?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export function liveDataset({ onChanged, onError }: DatasetEvents): LiveDataset {
  let key = "";
  let watcher: { close(): Promise<void> } | undefined;
  let controller = new AbortController();

  async function close(): Promise<void> {
    controller.abort();
    controller = new AbortController();
    key = "";
    await watcher?.close();
    watcher = undefined;
  }

  return {
    async open(project, { usePolling, rescan = false }) {
      const { images, maxMegapixels } = project.config;
      const wanted = keyOf({ images, maxMegapixels, root: project.root, usePolling });
      if (wanted === key && !rescan) return;
      await close();
      const { signal } = controller;
      const { root, indexFile } = project;
      const where = { root, indexFile, images, maxPixels: maxPixelsOf(project.config) };
      await ensureLeafDir(project);
      // Watching begins before the scan: what changes meanwhile is brought in after it.
      const scan = Promise.withResolvers<void>();
      let turn: Promise<void> = scan.promise;
      const inIndex = (file: string) => path.relative(root, file).split(path.sep).join("/");
      const bringIn = async (batch: { changed: string[]; removed: string[] }) => {
        if (signal.aborted) return;
        try {
          await updateIndex(where, batch, signal);
          // Also where the index knew: another config of the same images may have brought it in.
          if (!signal.aborted) onChanged([...batch.changed, ...batch.removed].map(inIndex));
        } catch (error) {
          if (!signal.aborted) onError(error);
        }
      };
      try {
        watcher = await watchImages(
          project,
          {
            usePolling,
            onBatch(batch) {
              turn = turn.then(() => bringIn(batch));
            },
          },
          onError,
        );
        await indexDataset({ ...where, signal });
        key = wanted;
      } finally {
        scan.resolve();
      }
    },
    close,
  };
}
