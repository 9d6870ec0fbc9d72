import path from "node:path";
import { fileWriter, ParquetWriter, type SchemaElement } from "hyparquet-writer";
import { say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { ensureDir } from "../base/files.ts";
import { checkOutputs, type OutputRules, withOutput } from "../base/outputs.ts";
import { chunksOf } from "../base/sqlite.ts";
import { ratingWords } from "../teachers/judgement.ts";
import { human, type LabelStore, type TeacherRecord } from "./labels.ts";
import { describedBy, type LabelTable, usable } from "./rules.ts";

/** A column of a label file: its name in Parquet and in SQL, and its type. */
interface Column {
  name: string;
  sql: string;
  type: "text" | "number" | "boolean";
  required: boolean;
}

const text = (name: string, sql: string): Column => ({ name, sql, type: "text", required: true });
const number = (name: string, sql = name, required = false): Column => ({
  name,
  sql,
  type: "number",
  required,
});
/** As in the store: JSON; null where probabilities were read and not estimated. Files of former versions lack it. */
const samples: Column = { name: "samples", sql: "p.samples", type: "text", required: false };
const byPerson: Column = { name: "human", sql: "p.teacher_id = :human", type: "boolean", required: true };

/** One row a judged image. Of probabilities and mass a person's has none. */
export const pointColumns: readonly Column[] = [
  text("image", "i.hash"),
  number("score", "score", true),
  ...ratingWords.map((word) => number(`p_${word}`, word)),
  number("mass"),
  number("confidence", "confidence", true),
  byPerson,
  samples,
];

/** One row a judged pair; `a` has the smaller hash. */
export const pairColumns: readonly Column[] = [
  text("a", "a.hash"),
  text("b", "b.hash"),
  number("p", "p", true),
  number("p_ab"),
  number("p_ba"),
  number("position_bias"),
  number("confidence", "confidence", true),
  byPerson,
  samples,
];

/** Keys of the files' metadata, which say whose labels they are. */
export const metadataKeys = {
  version: "leaf.labels.version",
  fingerprint: "leaf.teacher.fingerprint",
  kind: "leaf.teacher.kind",
  description: "leaf.teacher.description",
} as const;
export const labelsVersion = 1;

const rowGroup = 20_000;

/**
 * Writes a teacher's usable labels to `points.parquet` and `pairs.parquet` in a folder, ordered by hash, and those that people
 * gave, with `human` true: of an image or pair that a person overruled both rows are there, and the person's counts. Images are
 * named by the hash of their bytes. Streams in row groups. `rules`: what may be written over, by default any file. Throws
 * LeafErrors `input` for a teacher who is not in the store, `usage` for a file that may not be written over, `failed` for a store
 * or disk that fails, `cancelled`.
 */
export async function exportLabelsParquet(
  store: LabelStore,
  teacher: string,
  dir: string,
  { signal, rules = { force: true } }: { signal?: AbortSignal; rules?: OutputRules } = {},
): Promise<{ files: string[]; points: number; pairs: number }> {
  const record = teacherOf(store, teacher);
  const usableOf = (table: LabelTable) => `p.teacher_id IN (:teacher, :human) AND ${usable(table, "p")}`;
  const [pointsFile, pairsFile] = [path.join(dir, "points.parquet"), path.join(dir, "pairs.parquet")];
  await checkOutputs([pointsFile, pairsFile], rules);
  await ensureDir(dir);
  const points = await writeRows(pointsFile, rules, pointColumns, record, signal, () =>
    rowsOf(
      store,
      teacher,
      `SELECT ${selected(pointColumns)} FROM images i CROSS JOIN points p ON p.image_id = i.id
       WHERE ${usableOf("points")} ORDER BY i.hash, p.teacher_id = :human`,
    ),
  );
  const pairs = await writeRows(pairsFile, rules, pairColumns, record, signal, () =>
    rowsOf(
      store,
      teacher,
      `SELECT ${selected(pairColumns)} FROM images a CROSS JOIN pairs p ON p.a_id = a.id CROSS JOIN images b ON b.id = p.b_id
       WHERE ${usableOf("pairs")} ORDER BY a.hash, b.hash, p.teacher_id = :human`,
    ),
  );
  return { files: [pointsFile, pairsFile], points, pairs };
}

function teacherOf({ db }: LabelStore, fingerprint: string): TeacherRecord {
  const row = db.prepare("SELECT kind, description FROM teachers WHERE fingerprint = ?").get(fingerprint);
  if (row) return { fingerprint, kind: String(row.kind), description: describedBy(row.description) };
  throw new LeafError("input", say`The store has no labels of the teacher ${fingerprint}.`, {
    remedy: say`Run \`leaf label\` first.`,
  });
}

function selected(columns: readonly Column[]): string {
  return columns.map(({ name, sql }) => `${sql} AS "${name}"`).join(", ");
}

function rowsOf({ db }: LabelStore, teacher: string, sql: string): Iterable<Record<string, unknown>> {
  const idOf = db.prepare("SELECT id FROM teachers WHERE fingerprint = ?");
  const id = (fingerprint: string) => Number(idOf.get(fingerprint)?.id ?? -1);
  return db.prepare(sql).iterate({ teacher: id(teacher), human: id(human) });
}

async function writeRows(
  file: string,
  rules: OutputRules,
  columns: readonly Column[],
  { fingerprint, kind, description }: TeacherRecord,
  signal: AbortSignal | undefined,
  rows: () => Iterable<Record<string, unknown>>,
): Promise<number> {
  return withOutput(file, rules, async (temporary) => {
    const writer = new ParquetWriter({
      writer: fileWriter(temporary),
      schema: [{ name: "root", num_children: columns.length }, ...columns.map(schemaOf)],
      kvMetadata: [
        { key: metadataKeys.version, value: String(labelsVersion) },
        { key: metadataKeys.fingerprint, value: fingerprint },
        { key: metadataKeys.kind, value: kind },
        { key: metadataKeys.description, value: JSON.stringify(description) },
      ],
      createdBy: "LEAF",
    });
    let count = 0;
    for (const some of chunksOf(rows(), rowGroup)) {
      throwIfCancelled(signal);
      count += some.length;
      const columnData = columns.map(({ name, type }) => ({
        name,
        data: some.map((row) => (type === "boolean" ? row[name] === 1 : row[name])),
      }));
      await writer.write({ columnData, rowGroupSize: rowGroup });
    }
    await writer.finish();
    return count;
  });
}

function schemaOf({ name, type, required }: Column): SchemaElement {
  const repetition_type = required ? "REQUIRED" : "OPTIONAL";
  if (type === "text") return { name, repetition_type, type: "BYTE_ARRAY", converted_type: "UTF8" };
  return { name, repetition_type, type: type === "number" ? "DOUBLE" : "BOOLEAN" };
}
