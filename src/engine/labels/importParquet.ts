import { existsSync } from "node:fs";
import path from "node:path";
import { LeafError } from "../errors.ts";
import { human, type LabelStore, type PairRow, type PointRow, type TeacherRecord } from "../labels.ts";
import { findColumn } from "../tables/findColumn.ts";
import { openParquetFile, type ParquetFile, parquetBatches } from "../tables/parquet.ts";
import { labelsVersion, metadataKeys, pairColumns, pointColumns } from "./parquet.ts";

type OkPoint = Extract<PointRow, { ok: true }>;
type OkPair = Extract<PairRow, { ok: true }>;
type Values = Record<string, unknown>;

export interface LabelsImported {
  /** Fingerprint of the teacher. */
  teacher: string;
  /** `known` ones the store had already: they stay as they are. */
  points: { added: number; known: number };
  pairs: { added: number; known: number };
}

/**
 * Takes in the labels that `exportLabelsParquet` wrote to a folder; a label that the store has, of a teacher or a person, stays.
 * Both files are told to be of one teacher and checked row by row before any of a batch is written. Throws LeafErrors `input`
 * naming file and row, `failed` for a store that fails, `cancelled`.
 */
export async function importLabelsParquet(
  store: LabelStore,
  dir: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<LabelsImported> {
  const files = ["points.parquet", "pairs.parquet"].map((name) => path.join(dir, name));
  const found = files.filter((file) => existsSync(file));
  if (found.length === 0) {
    throw new LeafError("input", `${dir} holds no points.parquet and no pairs.parquet.`, {
      file: dir,
      remedy: "Name the folder that `leaf labels export` wrote.",
    });
  }
  const opened = await Promise.all(found.map(openParquetFile));
  const [teacher, ...others] = opened.map(teacherOf) as [TeacherRecord, ...TeacherRecord[]];
  if (others.some(({ fingerprint }) => fingerprint !== teacher.fingerprint)) {
    throw new LeafError("input", `The files in ${dir} hold labels of different teachers.`, {
      file: dir,
      remedy: "Import each teacher's labels from a folder of its own.",
    });
  }
  store.registerTeacher(teacher);
  const counts = { points: { added: 0, known: 0 }, pairs: { added: 0, known: 0 } };
  for (const parquet of opened) {
    if (parquet.file === files[0])
      for await (const rows of rowsOf(parquet, pointColumns, toPoint, signal))
        for (const by of [teacher.fingerprint, human]) {
          const own = rows.filter((row) => row.human === (by === human)).map(({ row }) => row);
          const missing = new Set(
            store.missingPoints(
              by,
              own.map(({ image }) => image),
            ),
          );
          const added = own.filter(({ image }) => missing.has(image));
          if (added.length > 0) store.putPoints(by, added);
          counts.points.added += added.length;
          counts.points.known += own.length - added.length;
        }
    else
      for await (const rows of rowsOf(parquet, pairColumns, toPair, signal))
        for (const by of [teacher.fingerprint, human]) {
          const own = rows.filter((row) => row.human === (by === human)).map(({ row }) => row);
          const key = ([a, b]: readonly [string, string]) => `${a} ${b}`;
          const missing = new Set<string>();
          // An answer in both orders takes the place of one in one; of the same kind the store's stays.
          for (const orders of ["both", "one"] as const) {
            const alike = own.filter((row) => row.ok && (row.pBA === null) === (orders === "one"));
            const asked = alike.map(({ a, b }): [string, string] => [a, b]);
            for (const pair of store.missingPairs(by, asked, orders)) missing.add(key(pair));
          }
          const added = own.filter(({ a, b }) => missing.has(key([a, b])));
          if (added.length > 0) store.putPairs(by, added);
          counts.pairs.added += added.length;
          counts.pairs.known += own.length - added.length;
        }
  }
  return { teacher: teacher.fingerprint, ...counts };
}

function teacherOf({ file, metadata }: ParquetFile): TeacherRecord {
  const values = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value]));
  const fingerprint = values.get(metadataKeys.fingerprint);
  const kind = values.get(metadataKeys.kind);
  const base = path.basename(file);
  if (!fingerprint || !kind || fingerprint === human) {
    throw new LeafError("input", `${base} does not say whose labels it holds.`, {
      file,
      remedy: "Import files that `leaf labels export` wrote.",
    });
  }
  if (Number(values.get(metadataKeys.version)) > labelsVersion)
    throw new LeafError("input", `${base} was written by a newer version of LEAF.`, {
      file,
      remedy: "Update LEAF.",
    });
  let description: unknown = null;
  try {
    description = JSON.parse(values.get(metadataKeys.description) ?? "null");
  } catch {
    // It only serves to tell people about the teacher.
  }
  return { fingerprint, kind, description };
}

async function* rowsOf<Label>(
  parquet: ParquetFile,
  columns: readonly { name: string }[],
  toLabel: (values: Values) => Label | undefined,
  signal?: AbortSignal,
): AsyncGenerator<{ row: Label; human: boolean }[]> {
  const names = columns.map(({ name }) => name);
  const there = parquet.metadata.schema.map(({ name }) => name);
  for (const name of names) findColumn(parquet.file, there, name);
  for await (const { start, size, values } of parquetBatches(parquet, names, signal)) {
    yield Array.from({ length: size }, (_, i) => {
      const given = Object.fromEntries(names.map((name, column) => [name, values[column]![i]]));
      const row = toLabel(given);
      if (row === undefined) {
        const line = start + i + 1;
        throw new LeafError("input", `${path.basename(parquet.file)}: row ${line} is no label.`, {
          file: parquet.file,
          line,
          remedy: "Hashes have 32 hexadecimal digits, a < b, scores are 1 to 5, all else is 0 to 1.",
        });
      }
      return { row, human: given.human === true };
    });
  }
}

function toPoint(values: Values): OkPoint | undefined {
  const { image, score, mass, confidence } = values;
  const probabilities = [values.p_excellent, values.p_good, values.p_fair, values.p_poor, values.p_bad];
  const judged = probabilities.every(isShare) || (values.human === true && probabilities.every(isAbsent));
  if (!isHash(image) || !isWithin(score, 1, 5) || !judged || !isShareOrAbsent(mass) || !isShare(confidence))
    return undefined;
  const stored = probabilities.map((p) => p ?? null) as unknown as OkPoint["probabilities"];
  return { image, ok: true, score, probabilities: stored, mass: mass ?? null, confidence };
}

function toPair(values: Values): OkPair | undefined {
  const { a, b, p, p_ab: pAB, p_ba: pBA, position_bias: bias, confidence } = values;
  if (!isHash(a) || !isHash(b) || a >= b || !isShare(p) || !isShare(confidence)) return undefined;
  // The bias is a difference of logits, which has no bounds.
  if (!isShareOrAbsent(pAB) || !isShareOrAbsent(pBA) || !(isAbsent(bias) || Number.isFinite(bias)))
    return undefined;
  const positionBias = (bias as number | null | undefined) ?? null;
  return { a, b, ok: true, p, pAB: pAB ?? null, pBA: pBA ?? null, positionBias, confidence };
}

function isHash(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}

/** Sums of probabilities may be off by a rounding. */
const rounding = 1e-6;

function isWithin(value: unknown, low: number, high: number): value is number {
  return typeof value === "number" && value >= low - rounding && value <= high + rounding;
}

function isShare(value: unknown): value is number {
  return isWithin(value, 0, 1);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function isShareOrAbsent(value: unknown): value is number | null | undefined {
  return isAbsent(value) || isShare(value);
}
