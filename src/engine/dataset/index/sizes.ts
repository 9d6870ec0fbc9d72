import type { DatabaseSync } from "node:sqlite";
import { sizeProblem, tooManyPixels } from "../../images/limits.ts";

/**
 * Which images are too large, the config says, and it may say something else the next time: the index keeps the sizes and is judged
 * anew, without a look at the files. Configs of one folder with different limits take turns.
 */
export function judgeSizes(db: DatabaseSync, maxPixels: number): void {
  if (db.prepare("SELECT maxPixels FROM judged").get()?.maxPixels === maxPixels) return;
  db.function("size_error", (width, height) =>
    width === null ? null : (tooManyPixels(Number(width), Number(height), maxPixels) ?? null),
  );
  db.exec("BEGIN IMMEDIATE");
  try {
    db.exec(
      `UPDATE files SET error = size_error(width, height)
       WHERE (error IS NULL OR error LIKE '${sizeProblem}%') AND error IS NOT size_error(width, height);
       DELETE FROM judged;`,
    );
    db.prepare("INSERT INTO judged (maxPixels) VALUES (?)").run(maxPixels);
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
