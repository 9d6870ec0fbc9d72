import { existsSync } from "node:fs";
import path from "node:path";
import { say } from "../../../words/text.ts";
import { errnoCode, LeafError } from "../../base/errors.ts";
import type { Project } from "../../config/project.ts";
import { isImageName } from "../../images/format.ts";
import { type ImagePatterns, imagePatterns, isAtOrIn, isPassedOver } from "../index/patterns.ts";
import { pollFolders } from "./pollFolders.ts";
import { type ChangeBatch, settledPaths } from "./settledPaths.ts";
import { type FolderEvents, watchFolders } from "./watchFolders.ts";

export type { ChangeBatch } from "./settledPaths.ts";

export interface WatchOptions {
  /** Look at every file again and again: for network drives, which tell nothing. */
  usePolling: boolean;
  onBatch(batch: ChangeBatch): void;
}

/**
 * Watches for image files of `images:` that come, change or go, until closed; resolves once it watches. A file is told a fifth
 * of a second after it was last written to; a folder that came or went stands for its content; thousands at once come in few
 * batches. `onError` gets a LeafError `environment` when the system allows no more watches.
 */
export async function watchImages(
  project: Pick<Project, "root" | "config">,
  { usePolling, onBatch }: WatchOptions,
  onError: (error: unknown) => void,
): Promise<{ close(): Promise<void> }> {
  const { root, config } = project;
  const patterns = await imagePatterns(root, config.images);
  const settled = settledPaths(onBatch, onError);
  const isImage = (file: string) =>
    isImageName(file) &&
    !isPassedOver(path.basename(file)) &&
    patterns.rulesOf(path.dirname(file)).here.length > 0;
  let complained = false;
  const events: FolderEvents = {
    onEntry(file) {
      if (isImage(file)) settled.touch(file);
    },
    onFolder(folder) {
      if (patterns.leadsToImages(folder)) settled.touch(folder);
    },
    onError(error) {
      const told = explainWatchError(error, root);
      if (told instanceof LeafError && complained) return;
      complained ||= told instanceof LeafError;
      onError(told);
    },
  };
  const watcher = usePolling
    ? await pollFolders(root, config.images, events)
    : await watchFolders(patterns, anchorsOf(patterns), events);
  return {
    async close() {
      settled.close();
      await watcher.close();
    },
  };
}

/** No room for more watches is told as ENOSPC, as if the disk were full. */
export function explainWatchError(error: unknown, root: string): unknown {
  const code = errnoCode(error);
  if (code !== "ENOSPC" && code !== "EMFILE" && code !== "ENFILE") return error;
  return new LeafError(
    "environment",
    say`The system allows no more watches, so changes below ${root} may be missed.`,
    {
      file: root,
      remedy: say`Turn on the setting leaf.watcher.usePolling, or raise the limit (on Linux: fs.inotify.max_user_watches).`,
      cause: error,
    },
  );
}

/** Existing folders to begin at: above each base, since a folder that goes and comes back is noticed from above only. */
function anchorsOf({ root, bases }: ImagePatterns): string[] {
  const anchors = bases.map((base) => {
    let anchor = base === root ? base : path.dirname(base);
    while (!existsSync(anchor) && path.dirname(anchor) !== anchor) anchor = path.dirname(anchor);
    return anchor;
  });
  const all = [...new Set(anchors)];
  return all.filter((one) => !all.some((other) => other !== one && isAtOrIn(one, other)));
}
