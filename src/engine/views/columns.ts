import type { SQLInputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { type Judges, standing } from "../labels/counting.ts";
import { human } from "../labels/labels.ts";
import { inSteps, type Keep } from "./kept.ts";
import type { Sources } from "./sources.ts";

/** Where lists come from. */
export interface Shelf {
  sources: Sources;
  keep: Keep;
}

/** Different usable images by path, each once under the first of its paths; a row is a place in these. */
export interface Images {
  length: number;
  /** Of the index that it was read from. */
  version: string;
  paths: string[];
  hashes: string[];
  modified: number[];
  rowOf: ReadonlyMap<string, number>;
}

/** A value for each image; NaN: unknown. */
export type Column = Float64Array;

/** The teacher of the value `:teacher`, and people, as SQL. */
export const judges = {
  teacher: "(SELECT id FROM labels.teachers WHERE fingerprint = :teacher)",
  person: `(SELECT id FROM labels.teachers WHERE fingerprint = '${human}')`,
} satisfies Judges;

const sliceRows = 2000;

/**
 * Hands on the rows of a statement, as arrays, in slices between which the event loop runs: `:rows` of them after `:after`, a
 * value of the first column, by which they are sorted.
 */
export async function inSlices(
  { sources }: Shelf,
  sql: string,
  first: SQLInputValue,
  values: Record<string, SQLInputValue>,
  take: (row: unknown[]) => void,
): Promise<void> {
  for (let after = first; ; ) {
    await setImmediate();
    if (!sources.db.isOpen) throw new LeafError("cancelled", say`The project was closed.`);
    const statement = sources.prepare(sql);
    statement.setReturnArrays(true);
    const rows = statement.all({ ...values, after, rows: sliceRows }) as unknown as SQLInputValue[][];
    for (const row of rows) take(row);
    if (rows.length < sliceRows) return;
    after = rows.at(-1)![0]!;
  }
}

/** Caches may be anybody's: what is no number there is not known. */
export const numberOf = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) ? value : Number.NaN;

export function readImages(shelf: Shelf): Promise<Images> {
  const version = shelf.sources.version("dataset");
  return shelf.keep("images", { inputs: [], version }, async () => {
    const paths: string[] = [];
    const hashes: string[] = [];
    const modified: number[] = [];
    const rowOf = new Map<string, number>();
    const unusable = new Set<string>();
    const sql = `SELECT path, hash, CAST(mtimeMs AS REAL), error IS NULL FROM dataset.files
      WHERE path > :after ORDER BY path LIMIT :rows`;
    await inSlices(shelf, sql, "", {}, ([path, hash, mtimeMs, isUsable]) => {
      if (typeof path !== "string" || typeof hash !== "string" || rowOf.has(hash) || unusable.has(hash))
        return;
      if (isUsable !== 1) {
        unusable.add(hash);
        return;
      }
      rowOf.set(hash, paths.length);
      paths.push(path);
      hashes.push(hash);
      modified.push(numberOf(mtimeMs));
    });
    return { length: paths.length, version, paths, hashes, modified, rowOf };
  });
}

const emptyColumn = (images: Images): Column => new Float64Array(images.length).fill(Number.NaN);

/** What a scorer said; `asTeacher` are those scores that came with a teacher's probabilities. */
export interface ScoreColumns {
  length: number;
  /** Of the scores that it was read from. */
  version: string;
  score: Column;
  distance: Column;
  asTeacher: Column;
}

export function readScores(shelf: Shelf, images: Images, scorer: string): Promise<ScoreColumns> {
  const version = shelf.sources.version("scores");
  return shelf.keep(`scores ${scorer}`, { inputs: [images], version }, async () => {
    const [score, distance, asTeacher] = [emptyColumn(images), emptyColumn(images), emptyColumn(images)];
    const sql = `SELECT hash, score, distance, excellent IS NOT NULL FROM scores.scores
      WHERE scorer = :scorer AND hash > :after ORDER BY hash LIMIT :rows`;
    await inSlices(shelf, sql, "", { scorer }, ([hash, value, far, isTeachers]) => {
      const row = images.rowOf.get(hash as string);
      if (row === undefined) return;
      score[row] = numberOf(value);
      distance[row] = numberOf(far);
      if (isTeachers === 1) asTeacher[row] = score[row]!;
    });
    return { length: images.length, version, score, distance, asTeacher };
  });
}

/** Rows of the images that the label store knows, by its ids. */
export async function readLabelledImages(shelf: Shelf, images: Images): Promise<Map<number, number>> {
  const rowOf = new Map<number, number>();
  const sql = "SELECT id, hash FROM labels.images WHERE id > :after ORDER BY id LIMIT :rows";
  await inSlices(shelf, sql, 0, {}, ([id, hash]) => {
    const row = images.rowOf.get(hash as string);
    if (row !== undefined) rowOf.set(id as number, row);
  });
  return rowOf;
}

/** The scores in the label store that stand. */
export interface PointColumns {
  length: number;
  score: Column;
  /** People's alone. */
  person: Column;
}

export function readPoints(shelf: Shelf, images: Images, teacher: string): Promise<PointColumns> {
  const from = { inputs: [images], version: shelf.sources.version("labels") };
  return shelf.keep(`points ${teacher}`, from, async () => {
    const [score, person] = [emptyColumn(images), emptyColumn(images)];
    const rowOf = await readLabelledImages(shelf, images);
    const sql = `SELECT p.id, p.image_id, p.score, p.teacher_id = ${judges.person},
        ${standing("points", "p", judges, { schema: "labels" })}
      FROM labels.points AS p WHERE p.id > :after ORDER BY p.id LIMIT :rows`;
    await inSlices(shelf, sql, 0, { teacher }, ([, id, value, isPersons, stands]) => {
      const row = rowOf.get(id as number);
      if (row === undefined || stands !== 1) return;
      score[row] = numberOf(value);
      if (isPersons === 1) person[row] = score[row]!;
    });
    return { length: images.length, score, person };
  });
}

/** What is known by hash, as a column. */
export function columnOf(
  shelf: Shelf,
  name: string,
  images: Images,
  values: ReadonlyMap<string, number>,
): Promise<Column> {
  return shelf.keep(name, { inputs: [images, values] }, async () => {
    const column = emptyColumn(images);
    const entries = [...values];
    await inSteps(entries.length, (i) => {
      const [hash, value] = entries[i]!;
      const row = images.rowOf.get(hash);
      if (row !== undefined) column[row] = value;
    });
    return column;
  });
}
