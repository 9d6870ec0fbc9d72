import path from "node:path";
import { type FSWatcher, watch } from "chokidar";
import type { Project } from "../engine/project.ts";

const settleMs = 100;

/** Watches the few files beside the images that the state depends on: the config, CSV files, and runs made by `leaf` elsewhere. */
export function watchInputs(onChanged: () => void): {
  watch(project: Project, usePolling: boolean): void;
  close(): Promise<void>;
} {
  let watcher: FSWatcher | undefined;
  let watched = "";
  let timer: NodeJS.Timeout | undefined;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(onChanged, settleMs);
  };
  return {
    watch(project, usePolling) {
      const { config, root, configFile, runs } = project;
      const files = [configFile, config.mos?.file, config.split.file].flatMap((file) =>
        file ? [path.resolve(root, file)] : [],
      );
      const wanted = JSON.stringify([files, usePolling]);
      if (wanted === watched) return;
      watched = wanted;
      void watcher?.close();
      watcher = watch([...files, runs], { ignoreInitial: true, depth: 1, usePolling });
      watcher.on("all", soon);
      // A file that cannot be watched is read again with the next change of another.
      watcher.on("error", () => {});
    },
    async close() {
      clearTimeout(timer);
      await watcher?.close();
    },
  };
}
