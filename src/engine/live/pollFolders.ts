import type { Stats } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { watch } from "chokidar";
import type { FolderEvents } from "./watchFolders.ts";

const pollMs = 1000;

/**
 * The same as watchFolders by looking at every image again and again, for network drives, which tell nothing. Keeps some
 * 7 kB for each image.
 */
export async function pollFolders(
  anchors: readonly string[],
  isImage: (file: string) => boolean,
  events: FolderEvents,
): Promise<{ close(): Promise<void> }> {
  const watcher = watch([], {
    ignored: (file: string, stats?: Stats) => {
      const absolute = path.resolve(file);
      if (isImage(absolute)) return false;
      return stats?.isFile() || !events.leadsToImages(absolute);
    },
    usePolling: true,
    interval: pollMs,
    binaryInterval: pollMs,
    ignoreInitial: true,
    ignorePermissionErrors: true,
    atomic: false,
  });
  for (const event of ["add", "change", "unlink"] as const)
    watcher.on(event, (file) => events.onEntry(path.resolve(file)));
  for (const event of ["addDir", "unlinkDir"] as const)
    watcher.on(event, (folder) => events.onFolder(path.resolve(folder)));
  watcher.on("error", events.onError);
  const ready = new Promise<void>((resolve) => watcher.once("ready", () => resolve()));
  watcher.add([...anchors]);
  await ready;
  // It is ready before every folder has been looked at once, and a change until then would be what the first look finds.
  await sleep(pollMs);
  return watcher;
}
