import { existsSync } from "node:fs";
import path from "node:path";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { findColumn } from "../tables/findColumn.ts";
import { openParquetFile, type ParquetFile, parquetBatches } from "../tables/parquet.ts";
import { ratingWords } from "../teachers/judgement.ts";
import { human, type LabelStore, type PairRow, type PointRow, type TeacherRecord } from "./labels.ts";
import { labelsVersion, metadataKeys, pairColumns, pointColumns } from "./parquet.ts";
import { type BadRows, badRows, describedBy, isHash, labelFault } from "./rules.ts";
import { pairSamples, pointSamples, samplesIn } from "./samples.ts";

type OkPoint = Extract<PointRow, { ok: true }>;
type OkPair = Extract<PairRow, { ok: true }>;
type Values = Record<string, unknown>;

export interface LabelsImported {
  /** Fingerprint of the teacher. */
  teacher: string;
  /** `known` ones the store had already: they stay as they are. */
  points: { added: number; known: number };
  pairs: { added: number; known: number };
  /** Rows that are no labels, and were left out; absent without any. */
  bad?: BadRows;
}

/**
 * Takes in the labels that `exportLabelsParquet` wrote to a folder; a label that the store has, of a teacher or a person, stays.
 * Both files are told to be of one teacher; a row that is no label is counted, named and left out. Throws LeafErrors `input`
 * for files that are no label files, `failed` for a store that fails, `cancelled`.
 */
export async function importLabelsParquet(
  store: LabelStore,
  dir: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<LabelsImported> {
  const files = ["points.parquet", "pairs.parquet"].map((name) => path.join(dir, name));
  const found = files.filter((file) => existsSync(file));
  if (found.length === 0) {
    throw new LeafError("input", say`${dir} holds no points.parquet and no pairs.parquet.`, {
      file: dir,
      remedy: say`Name the folder that \`leaf labels export\` wrote.`,
    });
  }
  const opened = await Promise.all(found.map(openParquetFile));
  const [teacher, ...others] = opened.map(teacherOf) as [TeacherRecord, ...TeacherRecord[]];
  if (others.some(({ fingerprint }) => fingerprint !== teacher.fingerprint)) {
    throw new LeafError("input", say`The files in ${dir} hold labels of different teachers.`, {
      file: dir,
      remedy: say`Import each teacher's labels from a folder of its own.`,
    });
  }
  store.registerTeacher(teacher);
  const bad = badRows();
  const counts = { points: { added: 0, known: 0 }, pairs: { added: 0, known: 0 } };
  for (const parquet of opened) {
    if (parquet.file === files[0])
      for await (const rows of rowsOf(parquet, pointColumns, toPoint, bad, signal))
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
      for await (const rows of rowsOf(parquet, pairColumns, toPair, bad, signal))
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
  const left = bad.count > 0 ? { bad: { count: bad.count, examples: bad.examples } } : {};
  return { teacher: teacher.fingerprint, ...counts, ...left };
}

function teacherOf({ file, metadata }: ParquetFile): TeacherRecord {
  const values = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value]));
  const fingerprint = values.get(metadataKeys.fingerprint);
  const kind = values.get(metadataKeys.kind);
  const base = path.basename(file);
  if (!fingerprint || !kind || fingerprint === human) {
    throw new LeafError("input", say`${base} does not say whose labels it holds.`, {
      file,
      remedy: say`Import files that \`leaf labels export\` wrote.`,
    });
  }
  if (Number(values.get(metadataKeys.version)) > labelsVersion)
    throw new LeafError("input", say`${base} was written by a newer version of LEAF.`, {
      file,
      remedy: say`Update LEAF.`,
    });
  const description = describedBy(values.get(metadataKeys.description));
  return { fingerprint, kind, description };
}

async function* rowsOf<Label>(
  parquet: ParquetFile,
  columns: readonly { name: string }[],
  toLabel: (values: Values) => Label | string,
  bad: ReturnType<typeof badRows>,
  signal?: AbortSignal,
): AsyncGenerator<{ row: Label; human: boolean }[]> {
  const there = parquet.metadata.schema.map(({ name }) => name);
  const names = columns.map(({ name }) => name).filter((name) => name !== "samples" || there.includes(name));
  for (const name of names) findColumn(parquet.file, there, name);
  for await (const { start, size, values } of parquetBatches(parquet, names, signal)) {
    yield Array.from({ length: size }, (_, i) => {
      const given = Object.fromEntries(names.map((name, column) => [name, values[column]![i]]));
      const row = toLabel(given);
      if (typeof row !== "string") return [{ row, human: given.human === true }];
      bad.add(`${path.basename(parquet.file)} row ${start + i + 1}: ${row}`);
      return [];
    }).flat();
  }
}

/** The label of a row, or what is wrong with it. */
function toPoint(values: Values): OkPoint | string {
  const { image, score, mass, confidence } = values;
  if (!isHash(image)) return "image is no hash";
  const row: Values = { score, mass, confidence };
  for (const word of ratingWords) row[word] = values[`p_${word}`];
  const unasked = ratingWords.every((word) => row[word] === null || row[word] === undefined);
  const fault =
    labelFault("points", row) ?? (unasked && values.human !== true ? "it has no probabilities" : undefined);
  if (fault) return fault;
  const probabilities = ratingWords.map((word) => row[word] ?? null) as unknown as OkPoint["probabilities"];
  const numbers = row as { score: number; mass?: number | null; confidence: number };
  return {
    image,
    ok: true,
    score: numbers.score,
    probabilities,
    mass: numbers.mass ?? null,
    confidence: numbers.confidence,
    ...samplesIn(values, pointSamples),
  };
}

function toPair(values: Values): OkPair | string {
  const { a, b, p, p_ab: pAB, p_ba: pBA, position_bias: bias, confidence } = values;
  if (!isHash(a) || !isHash(b) || a >= b) return "a and b are no two hashes, the smaller first";
  const fault = labelFault("pairs", values);
  if (fault) return fault;
  const optional = (value: unknown) => (value as number | null | undefined) ?? null;
  return {
    a,
    b,
    ok: true,
    p: p as number,
    pAB: optional(pAB),
    pBA: optional(pBA),
    positionBias: optional(bias),
    confidence: confidence as number,
    ...samplesIn(values, pairSamples),
  };
}
