import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { LeafError } from "../errors.ts";
import type { LabelStore } from "../labels.ts";
import { explainDatabaseError, schemaVersion } from "./schema.ts";

export interface MergeResult {
  /** Teachers of the other store, people among them. */
  teachers: number;
  /** Labels that were taken over. */
  points: number;
  pairs: number;
  reasons: number;
  /** Usable labels that both stores held; the target's stay. */
  known: { points: number; pairs: number };
}

/**
 * Takes the usable labels of another store over into this one, in one transaction. Of a teacher's label that both hold, the
 * target's stays (an answer in both orders before one in one); of a person's, the newer one. Failed judgements are not taken.
 * Throws LeafError `input` where the other file is missing or no label store.
 */
export function mergeLabels(store: LabelStore, file: string): MergeResult {
  if (!existsSync(file))
    throw new LeafError("input", `${file} does not exist.`, { file, remedy: "Name a labels.sqlite." });
  const { db } = store;
  try {
    db.exec(`ATTACH '${`${pathToFileURL(file).href}?mode=ro`.replaceAll("'", "''")}' AS other`);
  } catch (error) {
    throw explainDatabaseError(error, file);
  }
  try {
    const tables = db.prepare("SELECT name FROM other.sqlite_schema WHERE type = 'table'").all();
    const names = new Set(tables.map(({ name }) => String(name)));
    const version = Number(db.prepare("PRAGMA other.user_version").get()?.user_version);
    if (!["images", "teachers", "points", "pairs"].every((name) => names.has(name)))
      throw new LeafError("input", `${file} is not a label store.`, {
        file,
        remedy: "Name a labels.sqlite.",
      });
    if (version > schemaVersion)
      throw new LeafError("input", `${file} was written by a newer version of LEAF.`, {
        file,
        remedy: "Update LEAF.",
      });
    db.exec("BEGIN IMMEDIATE");
    const result = copyAll(store, names.has("reasons"));
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw explainDatabaseError(error, file);
  } finally {
    db.exec("DETACH other");
  }
}

/** Row ids differ between stores: images go by hash and teachers by fingerprint. */
const imageId = (column: string) =>
  `(SELECT i.id FROM main.images i JOIN other.images o ON o.hash = i.hash WHERE o.id = ${column})`;
const teacherId = (column: string) =>
  `(SELECT t.id FROM main.teachers t JOIN other.teachers o ON o.fingerprint = t.fingerprint WHERE o.id = ${column})`;
const byPerson = "x.teacher_id = (SELECT id FROM other.teachers WHERE kind = 'human')";

function copyAll({ db }: LabelStore, withReasons: boolean): MergeResult {
  const changes = (sql: string) => Number(db.prepare(sql).run().changes);
  const count = (sql: string) => Number(db.prepare(sql).get()?.n);
  const teachers = count("SELECT count(*) AS n FROM other.teachers");
  changes("INSERT OR IGNORE INTO main.images(hash) SELECT hash FROM other.images ORDER BY id");
  changes(`INSERT OR IGNORE INTO main.teachers(fingerprint, kind, description, created_at)
    SELECT fingerprint, kind, description, created_at FROM other.teachers ORDER BY id`);

  const samePoint = `m.image_id = ${imageId("x.image_id")} AND m.teacher_id = ${teacherId("x.teacher_id")}`;
  const samePair = `m.a_id = ${imageId("x.a_id")} AND m.b_id = ${imageId("x.b_id")}
    AND m.teacher_id = ${teacherId("x.teacher_id")}`;
  const newer = `(${byPerson} AND x.created_at > m.created_at)`;
  changes(`DELETE FROM main.points AS m WHERE EXISTS (SELECT 1 FROM other.points x WHERE ${samePoint}
    AND (${newer} OR x.status = 'ok' AND m.status = 'failed'))`);
  changes(`DELETE FROM main.pairs AS m WHERE EXISTS (SELECT 1 FROM other.pairs x WHERE ${samePair}
    AND (${newer} OR x.status = 'ok' AND (m.status = 'failed' OR m.p_ba IS NULL AND x.p_ba IS NOT NULL)))`);
  // A person's judgement that was taken back is a row too, and has to be told.
  const usable = `(x.status = 'ok' OR ${byPerson})`;
  const offered = (table: "points" | "pairs") =>
    count(`SELECT count(*) AS n FROM other.${table} x WHERE ${usable}`);
  const points =
    changes(`INSERT OR IGNORE INTO main.points(image_id, teacher_id, status, score, excellent, good, fair,
      poor, bad, mass, confidence, reason, created_at)
    SELECT ${imageId("x.image_id")}, ${teacherId("x.teacher_id")}, status, score, excellent, good, fair, poor, bad, mass,
      confidence, reason, created_at FROM other.points x WHERE ${usable} ORDER BY x.id`);
  const pairs =
    changes(`INSERT OR IGNORE INTO main.pairs(a_id, b_id, teacher_id, status, p, p_ab, p_ba, position_bias,
      confidence, reason, created_at)
    SELECT ${imageId("x.a_id")}, ${imageId("x.b_id")}, ${teacherId("x.teacher_id")}, status, p, p_ab, p_ba, position_bias,
      confidence, reason, created_at FROM other.pairs x WHERE ${usable} ORDER BY x.id`);
  const reasons = withReasons
    ? changes(`INSERT OR IGNORE INTO main.reasons(image_id, teacher_id, text, created_at)
        SELECT ${imageId("x.image_id")}, ${teacherId("x.teacher_id")}, text, created_at FROM other.reasons x`)
    : 0;
  const known = { points: offered("points") - points, pairs: offered("pairs") - pairs };
  return { teachers, points, pairs, reasons, known };
}
