import { type FSWatcher, watch } from "chokidar";
import { imageFolders } from "../engine/dataset/find.ts";
import { indexDataset } from "../engine/dataset.ts";
import { isImageName } from "../engine/images/format.ts";
import { keyOf } from "../engine/keys.ts";
import { ensureLeafDir, type Project } from "../engine/project.ts";

/** A copied folder is told once, not file by file. */
const settleMs = 500;

export interface DatasetEvents {
  /** Images came, changed or went, and the index knows. */
  onChanged(): void;
  onError(error: unknown): void;
}

/** Keeps the image index of a project current: one scan when it is opened, another after every change of its files. */
export interface LiveDataset {
  /** Resolves once the index is current for these images; scans anew only where `images:` changed or on demand. */
  open(project: Project, options: { usePolling: boolean; rescan?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export function liveDataset({ onChanged, onError }: DatasetEvents): LiveDataset {
  let key = "";
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let controller = new AbortController();

  async function close(): Promise<void> {
    controller.abort();
    controller = new AbortController();
    clearTimeout(timer);
    key = "";
    await watcher?.close();
    watcher = undefined;
  }

  return {
    async open(project, { usePolling, rescan = false }) {
      const wanted = keyOf({ images: project.config.images, root: project.root, usePolling });
      if (wanted === key && !rescan) return;
      await close();
      const { signal } = controller;
      const { root, indexFile } = project;
      const where = { root, indexFile, images: project.config.images, signal };
      await ensureLeafDir(project);
      // Watching begins before the scan, so that nothing falls between them.
      watcher = watch(imageFolders(root, project.config.images), {
        ignoreInitial: true,
        usePolling,
        ignored: (file, stats) =>
          /[\\/](\.[^\\/]+|node_modules)([\\/]|$)/.test(file.slice(root.length)) ||
          (stats?.isFile() === true && !isImageName(file)),
      });
      watcher.on("error", onError);
      watcher.on("all", (event) => {
        if (event === "addDir") return;
        clearTimeout(timer);
        timer = setTimeout(() => {
          indexDataset(where).then(onChanged, (error) => {
            if (!signal.aborted) onError(error);
          });
        }, settleMs);
      });
      await indexDataset(where);
      key = wanted;
    },
    close,
  };
}
