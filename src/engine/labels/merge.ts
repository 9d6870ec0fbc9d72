import { existsSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { explainDatabaseError } from "../base/sqlite.ts";
import { human, type LabelStore } from "./labels.ts";
import {
  type BadRows,
  badRows,
  type LabelTable,
  labelFault,
  mostDescription,
  unusable,
  usable,
} from "./rules.ts";
import { schemaVersion, storeFault } from "./schema.ts";

export interface MergeResult {
  /** Teachers of the other store, people among them. */
  teachers: number;
  /** Labels that were taken over. */
  points: number;
  pairs: number;
  reasons: number;
  /** Usable labels that both stores held; the target's stay. */
  known: { points: number; pairs: number };
  /** Rows that are no labels, and were left out; absent without any. */
  bad?: BadRows;
}

/**
 * Takes the usable labels of another store over into this one, in one transaction. Of a teacher's label that both hold, the
 * target's stays (an answer in both orders before one in one); of a person's, the newer one. Failed judgements are not taken, nor
 * rows that break a rule. Throws LeafError `input` where the other file is missing or no label store.
 */
export function mergeLabels(store: LabelStore, file: string): MergeResult {
  if (!existsSync(file) || !statSync(file).isFile())
    throw new LeafError("input", say`${file} does not exist.`, { file, remedy: say`Name a labels.sqlite.` });
  const { db } = store;
  try {
    db.exec(`ATTACH '${`${pathToFileURL(file).href}?mode=ro`.replaceAll("'", "''")}' AS other`);
  } catch (error) {
    throw ofOther(error, file);
  }
  try {
    refuseForeign(store, file);
    db.exec("BEGIN IMMEDIATE");
    const result = copyAll(store);
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw ofOther(error, file);
  } finally {
    db.exec(`${dropNames}; DETACH other`);
  }
}

/** An error of the store itself names that store; here the other one is at fault. */
function ofOther(error: unknown, file: string): unknown {
  return error instanceof LeafError && error.cause !== undefined
    ? explainDatabaseError(error.cause, file)
    : explainDatabaseError(error, file);
}

function refuseForeign({ db }: LabelStore, file: string): void {
  const refuse = (why: Text, remedy = say`Name a labels.sqlite.`) => {
    throw new LeafError("input", why, { file, remedy });
  };
  const fault = storeFault(db, "other");
  if (fault) refuse(say`${file} is not a label store: ${fault}.`);
  const version = Number(db.prepare("PRAGMA other.user_version").get()?.user_version);
  if (version > schemaVersion)
    refuse(say`${file} was written by a newer version of LEAF.`, say`Update LEAF.`);
  if (version < 1) refuse(say`${file} is not a label store: it has no version.`);
  const whole = Object.values(db.prepare("PRAGMA other.quick_check(1)").get() ?? {})[0];
  if (whole !== "ok") refuse(say`${file} is damaged.`, say`Get the file again from its source.`);
}

/** A time that is to come would let a person's word win for ever. */
const createdAt = "min(max(CAST(x.created_at AS INTEGER), 0), :now)";
const mostText = 20_000;
const reason = `iif(typeof(x.reason) = 'text', substr(x.reason, 1, ${mostText}), NULL)`;

/**
 * Row ids differ between stores: images go by hash and teachers by fingerprint, of those that are what they should be. `id` is the
 * row here, once that is made.
 */
const copyNames = `
  CREATE TEMP TABLE from_images AS SELECT o.id AS other, o.hash, NULL AS id FROM other.images AS o
    WHERE typeof(o.hash) = 'text' AND length(o.hash) = 32 AND o.hash NOT GLOB '*[^0-9a-f]*';
  CREATE TEMP TABLE from_teachers AS SELECT o.id AS other, o.fingerprint, o.kind, o.created_at, NULL AS id,
      iif(typeof(o.description) = 'text' AND length(o.description) <= ${mostDescription} AND json_valid(o.description),
        o.description, 'null') AS description
    FROM other.teachers AS o
    WHERE typeof(o.fingerprint) = 'text' AND length(o.fingerprint) BETWEEN 1 AND 200
      AND o.fingerprint NOT GLOB '*[^0-9A-Za-z._:-]*'
      AND typeof(o.kind) = 'text' AND length(o.kind) BETWEEN 1 AND 60 AND o.kind NOT GLOB '*[^0-9A-Za-z._-]*'
      AND (o.kind = '${human}') = (o.fingerprint = '${human}');
  INSERT OR IGNORE INTO main.images(hash) SELECT hash FROM temp.from_images ORDER BY other;
  UPDATE temp.from_images SET id = (SELECT i.id FROM main.images i WHERE i.hash = from_images.hash);
  CREATE INDEX temp.from_images_other ON from_images(other);
  CREATE INDEX temp.from_teachers_other ON from_teachers(other)`;
const dropNames = "DROP TABLE IF EXISTS temp.from_images; DROP TABLE IF EXISTS temp.from_teachers";

const imageId = (column: string) => `(SELECT f.id FROM temp.from_images f WHERE f.other = ${column})`;
const hashOf = (column: string) => `(SELECT f.hash FROM temp.from_images f WHERE f.other = ${column})`;
const teacherId = `(SELECT f.id FROM temp.from_teachers f WHERE f.other = x.teacher_id)`;
const byPerson = `x.teacher_id IN (SELECT f.other FROM temp.from_teachers f WHERE f.kind = '${human}')`;

/** The condition of a row of the other store to be taken; a person's judgement that was taken back is one too, and has to be told. */
const offered: Record<LabelTable, string> = {
  points: `(${usable("points", "x")} OR x.status = 'failed' AND ${byPerson})
    AND ${teacherId} IS NOT NULL AND ${imageId("x.image_id")} IS NOT NULL`,
  pairs: `(${usable("pairs", "x")} OR x.status = 'failed' AND ${byPerson})
    AND ${teacherId} IS NOT NULL AND ${hashOf("x.a_id")} < ${hashOf("x.b_id")}`,
};

function copyAll({ db }: LabelStore): MergeResult {
  const now = Date.now();
  const changes = (sql: string) => {
    const statement = db.prepare(sql);
    return Number((sql.includes(":now") ? statement.run({ now }) : statement.run()).changes);
  };
  const count = (sql: string) => Number(db.prepare(sql).get()?.n);
  const hasSamples =
    count("SELECT count(*) AS n FROM pragma_table_xinfo('points', 'other') WHERE name = 'samples'") > 0;
  const samples = hasSamples
    ? `iif(json_valid(x.samples) AND length(x.samples) <= 500, x.samples, NULL)`
    : "NULL";
  const hasReasons = count("SELECT count(*) AS n FROM other.sqlite_schema WHERE name = 'reasons'") > 0;
  db.exec(copyNames);
  changes(`INSERT OR IGNORE INTO main.teachers(fingerprint, kind, description, created_at)
    SELECT x.fingerprint, x.kind, x.description, ${createdAt} FROM temp.from_teachers x ORDER BY x.other`);
  db.exec(`UPDATE temp.from_teachers
    SET id = (SELECT t.id FROM main.teachers t WHERE t.fingerprint = from_teachers.fingerprint)`);

  const newer = `(${byPerson} AND ${createdAt} > m.created_at)`;
  changes(`DELETE FROM main.points AS m WHERE EXISTS (SELECT 1 FROM other.points x
    WHERE m.image_id = ${imageId("x.image_id")} AND m.teacher_id = ${teacherId} AND ${offered.points}
    AND (${newer} OR x.status = 'ok' AND (m.status = 'failed' OR ${unusable("points", "m")})))`);
  changes(`DELETE FROM main.pairs AS m WHERE EXISTS (SELECT 1 FROM other.pairs x
    WHERE m.a_id = ${imageId("x.a_id")} AND m.b_id = ${imageId("x.b_id")} AND m.teacher_id = ${teacherId} AND ${offered.pairs}
    AND (${newer} OR x.status = 'ok' AND (m.status = 'failed' OR ${unusable("pairs", "m")}
      OR m.p_ba IS NULL AND x.p_ba IS NOT NULL)))`);
  const points =
    changes(`INSERT OR IGNORE INTO main.points(image_id, teacher_id, status, score, excellent, good, fair,
      poor, bad, mass, confidence, reason, samples, created_at)
    SELECT ${imageId("x.image_id")}, ${teacherId}, status, score, excellent, good, fair, poor, bad, mass,
      confidence, ${reason}, ${samples}, ${createdAt} FROM other.points x WHERE ${offered.points} ORDER BY x.id`);
  const pairs =
    changes(`INSERT OR IGNORE INTO main.pairs(a_id, b_id, teacher_id, status, p, p_ab, p_ba, position_bias,
      confidence, reason, samples, created_at)
    SELECT ${imageId("x.a_id")}, ${imageId("x.b_id")}, ${teacherId}, status, p, p_ab, p_ba, position_bias,
      confidence, ${reason}, ${samples}, ${createdAt} FROM other.pairs x WHERE ${offered.pairs} ORDER BY x.id`);
  const reasons = hasReasons
    ? changes(`INSERT OR IGNORE INTO main.reasons(image_id, teacher_id, text, created_at)
        SELECT ${imageId("x.image_id")}, ${teacherId}, text, ${createdAt} FROM other.reasons x
        WHERE typeof(x.text) = 'text' AND length(x.text) <= ${mostText}`)
    : 0;
  const known = (table: LabelTable, taken: number) =>
    count(`SELECT count(*) AS n FROM other.${table} x WHERE ${offered[table]}`) - taken;
  const bad = badOf(db);
  return {
    teachers: count("SELECT count(*) AS n FROM temp.from_teachers"),
    points,
    pairs,
    reasons,
    known: { points: known("points", points), pairs: known("pairs", pairs) },
    ...(bad.count > 0 ? { bad: { count: bad.count, examples: bad.examples } } : {}),
  };
}

/** All that was left out because it is not what it should be. */
function badOf(db: LabelStore["db"]): BadRows {
  const bad = badRows();
  const each = (sql: string, say: (row: Record<string, unknown>) => string) => {
    for (const row of db.prepare(sql).iterate()) bad.add(say(row));
  };
  each(
    "SELECT o.id FROM other.images o WHERE o.id NOT IN (SELECT other FROM temp.from_images)",
    ({ id }) => `image ${Number(id)}: its hash is not 32 hexadecimal digits`,
  );
  each(
    `SELECT o.id, f.other IS NULL AS unnamed FROM other.teachers o LEFT JOIN temp.from_teachers f ON f.other = o.id
     WHERE f.other IS NULL OR f.description = 'null' AND CAST(o.description AS TEXT) <> 'null'`,
    ({ id, unnamed }) =>
      `teacher ${Number(id)}: ${unnamed ? "its name or kind is none" : "its description is not JSON"}`,
  );
  for (const table of ["points", "pairs"] as const)
    each(
      `SELECT x.* FROM other.${table} x
       WHERE (x.status = 'ok' OR x.status NOT IN ('ok', 'failed')) AND NOT coalesce((${offered[table]}), 0)`,
      (row) => {
        const what = row.status === "ok" ? labelFault(table, row) : "its status is none";
        return `${table} ${Number(row.id)}: ${what ?? "its image or teacher is none"}`;
      },
    );
  return bad;
}
