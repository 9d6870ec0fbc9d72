import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { explainDatabaseError, isDamage } from "../../base/sqlite.ts";
import { defaultMaxPixels } from "../../images/limits.ts";
import { type IndexPlace, openIndexFile } from "./file.ts";
import { judgeSizes } from "./sizes.ts";

/** Tries where others remove the index again and again. */
const tries = 5;

/**
 * Does work on an index, once more where the index turns out damaged, and where others removed it meanwhile: what was written
 * is gone then. The work must begin anew each time. Throws a LeafError `failed` where it cannot be opened.
 */
export async function withIndex<T>(
  { root, indexFile, maxPixels = defaultMaxPixels }: IndexPlace,
  work: (db: DatabaseSync, attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; attempt <= tries; attempt++) {
    const index = openIndexFile(indexFile);
    try {
      judgeSizes(index.db, maxPixels);
      const result = await work(index.db, attempt);
      // A project that is gone needs no index.
      if (!index.isReplaced() || !existsSync(root)) return result;
    } catch (error) {
      if (!isDamage(error)) throw explainDatabaseError(error, indexFile);
      index.discard();
    } finally {
      if (index.db.isOpen) index.db.close();
    }
  }
  throw new LeafError("failed", say`The image index ${indexFile} is removed or damaged again and again.`, {
    file: indexFile,
    remedy: say`Stop what else uses .leaf/cache and run the same command again.`,
  });
}
