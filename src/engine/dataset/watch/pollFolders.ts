import { stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isCancelled } from "../../base/errors.ts";
import { forEachBounded } from "../../base/pool.ts";
import { findImages } from "../index/find.ts";
import type { FolderEvents } from "./watchFolders.ts";

const pollMs = 1000;
const atOnce = 16;

/**
 * The same as watchFolders by searching all images again and again, for network drives, which tell nothing. Keeps a path and a
 * stamp for each image. Rests at least as long as it searched.
 */
export async function pollFolders(
  root: string,
  images: string | string[],
  events: FolderEvents,
): Promise<{ close(): Promise<void> }> {
  const controller = new AbortController();
  const { signal } = controller;
  let known = new Map<string, string>();

  /** What there is, with stamps; what is told of places counts as being in their folder. */
  async function look(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const onPlace = ({ path: place, reason }: { path: string; reason: string }) =>
      found.set(
        `${path.posix.dirname(place)}/`,
        `${found.get(`${path.posix.dirname(place)}/`) ?? ""}${place} ${reason}\n`,
      );
    const files = findImages(root, images, { only: [path.parse(root).root], onPlace, signal });
    await forEachBounded(
      files,
      atOnce,
      async (file) => {
        const stats = await stat(path.join(root, file)).catch(() => undefined);
        if (stats) found.set(file, `${stats.size} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.ino}`);
      },
      signal,
    );
    return found;
  }

  function compare(before: Map<string, string>, now: Map<string, string>): void {
    const tell = (name: string) => {
      if (name.endsWith("/")) events.onFolder(path.resolve(root, name));
      else events.onEntry(path.resolve(root, name));
    };
    for (const [name, stamp] of now) if (before.get(name) !== stamp) tell(name);
    for (const name of before.keys()) if (!now.has(name)) tell(name);
  }

  async function watch(): Promise<void> {
    for (let tookMs = 0; !signal.aborted; ) {
      try {
        await sleep(Math.max(pollMs, tookMs), undefined, { signal, ref: false });
        const start = performance.now();
        const now = await look();
        tookMs = performance.now() - start;
        compare(known, now);
        known = now;
      } catch (error) {
        if (!signal.aborted && !isCancelled(error)) events.onError(error);
      }
    }
  }

  known = await look();
  const watching = watch();
  return {
    async close() {
      controller.abort();
      await watching;
    },
  };
}
