import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { throwIfCancelled } from "../../base/errors.ts";
import { chunksOf } from "../../base/sqlite.ts";
import { bringIn } from "./bringIn.ts";
import { type IndexPlace, openForReading } from "./file.ts";
import { isAtOrIn } from "./patterns.ts";
import { withIndex } from "./withIndex.ts";

export type { IndexPlace } from "./file.ts";

/** What became of single files; paths as in the index. */
export interface IndexUpdate {
  /** Usable images that were not there before, or not usable. */
  added: string[];
  /** Images with other bytes than before. */
  updated: string[];
  /** Entries of files that are gone. */
  removed: string[];
  /** Files that are new or changed and no usable image. */
  failed: string[];
}

/** Paths brought up to date between two pauses. */
const perStep = 500;

/**
 * Brings the index up to date with single files and folders (absolute paths) without a look at the others. What the disk
 * holds counts, not the word: a path told as removed that exists is updated, one told as changed that is gone is removed, and
 * a folder stands for all that is or was in it. Files that `images` does not name are passed over. An index that is missing or
 * damaged is made anew by a whole scan. Throws LeafErrors as `indexDataset`.
 */
export async function updateIndex(
  place: IndexPlace,
  { changed, removed }: { changed: readonly string[]; removed: readonly string[] },
  signal?: AbortSignal,
): Promise<IndexUpdate> {
  throwIfCancelled(signal);
  const asked = [...new Set([...changed, ...removed].map((file) => path.resolve(file)))];
  const isAsked = (file: string) => asked.some((one) => isAtOrIn(path.resolve(place.root, file), one));
  // Opened for writing, a damaged index would become an empty one: nobody would miss what it held.
  const whole = !isReadable(place.indexFile);
  return withIndex(place, async (db, attempt) => {
    const sets = { added: new Set<string>(), updated: new Set<string>(), failed: new Set<string>() };
    const gone = new Set<string>();
    const anew = whole || attempt > 1;
    for (const only of anew ? [undefined] : chunksOf(asked, perStep)) {
      await bringIn(db, place, {
        only,
        signal,
        onWritten({ path: file, hash, error }, before) {
          if (anew && !isAsked(file)) return;
          if (before && before.hash !== null && before.hash === hash && before.error === error) return;
          if (error !== null) sets.failed.add(file);
          else if (before && before.error === null) sets.updated.add(file);
          else sets.added.add(file);
        },
        onRemoved: (file) => gone.add(file),
      });
      await setImmediate();
    }
    const { added, updated, failed } = sets;
    return { added: [...added], updated: [...updated], removed: [...gone], failed: [...failed] };
  });
}

function isReadable(indexFile: string): boolean {
  try {
    openForReading(indexFile).close();
    return true;
  } catch {
    return false;
  }
}
