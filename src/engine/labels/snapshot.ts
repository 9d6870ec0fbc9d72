import { rmSync } from "node:fs";
import { openGuarded } from "../base/guardedDatabase.ts";
import { chunksOf } from "../base/sqlite.ts";
import { type LeastConfidence, pairWeight, standing } from "./counting.ts";
import type { LabelStore } from "./labels.ts";

export interface SnapshotSelection {
  teacher: string;
  images: ReadonlySet<string>;
  /** Of the teacher's pairs these; a person may have compared others, which count too. */
  pairs: Iterable<[string, string]>;
  minConfidence: LeastConfidence;
  /** Scores in place of the point-wise ones that stand. */
  scores?: ReadonlyMap<string, number>;
}

/** What the trainer reads, and nothing of who said it. */
const tables = `
  CREATE TABLE images(id INTEGER PRIMARY KEY, hash TEXT UNIQUE NOT NULL);
  CREATE TABLE points(image_id INTEGER PRIMARY KEY REFERENCES images(id), score REAL NOT NULL);
  CREATE TABLE pairs(
    a_id INTEGER NOT NULL REFERENCES images(id), b_id INTEGER NOT NULL REFERENCES images(id),
    p REAL NOT NULL, weight REAL NOT NULL, PRIMARY KEY(a_id, b_id)) WITHOUT ROWID;
  PRAGMA user_version = 3`;

const rowsPerBatch = 5000;
const idOf = (fingerprint: string) => `(SELECT id FROM teachers WHERE fingerprint = ${fingerprint})`;
const judgesOf = ({ person }: LabelStore) => ({ teacher: idOf(":teacher"), person: idOf(`'${person}'`) });

/** Of some pairs those that stand and count, with their weight; a person's word in place of the teacher's. */
export function* countedPairs(
  store: LabelStore,
  { teacher, pairs, minConfidence }: Omit<SnapshotSelection, "images" | "scores">,
): Generator<{ a: string; b: string; p: number; weight: number; human: boolean }> {
  const judges = judgesOf(store);
  const weight = pairWeight("p", judges.person, minConfidence);
  const chosen = store.db.prepare(
    `SELECT ${columnsWith(weight)}, p.teacher_id = ${judges.person} AS human
     FROM json_each(:pairs) j JOIN images a ON a.hash = j.value ->> 0
     JOIN images b ON b.hash = j.value ->> 1 JOIN pairs p ON p.a_id = a.id AND p.b_id = b.id
     WHERE ${standing("pairs", "p", judges)} AND ${weight} > 0 ORDER BY j.key`,
  );
  for (const some of chunksOf(pairs, rowsPerBatch))
    for (const { a, b, p, weight, human } of chosen.all({ pairs: JSON.stringify(some), teacher }) as Row[])
      yield { a: String(a), b: String(b), p: Number(p), weight: Number(weight), human: human === 1 };
}

const columnsWith = (weight: string) =>
  `a.hash AS a, b.hash AS b, max(0.0, min(1.0, p.p)) AS p, ${weight} AS weight`;

/**
 * Writes what one training learns from into a database of its own: the labels of some images and pairs that stand and count, and the
 * weight of each pair. An older one is overwritten.
 */
export function writeLabelSnapshot(
  store: LabelStore,
  file: string,
  { teacher, images, pairs, minConfidence, scores }: SnapshotSelection,
): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(file + suffix, { force: true });
  const judges = judgesOf(store);
  const weight = pairWeight("p", judges.person, minConfidence);
  const counts = `${standing("pairs", "p", judges)} AND ${weight} > 0`;
  const points = store.db.prepare(
    `SELECT j.value AS image, p.score FROM json_each(:images) j JOIN images i ON i.hash = j.value
     JOIN points p ON p.image_id = i.id WHERE ${standing("points", "p", judges)} ORDER BY j.key`,
  );
  const ofPeople = store.db.prepare(
    `SELECT ${columnsWith(weight)} FROM pairs p JOIN images a ON a.id = p.a_id JOIN images b ON b.id = p.b_id
     WHERE p.teacher_id = ${judges.person} AND ${counts} ORDER BY p.id`,
  );
  const copy = openGuarded(file, {});
  try {
    copy.exec(`BEGIN; ${tables}`);
    const addImages = copy.prepare("INSERT OR IGNORE INTO images(hash) VALUES (?), (?)");
    const id = "(SELECT id FROM images WHERE hash = ?)";
    const addPoint = copy.prepare(`INSERT INTO points VALUES (${id}, ?)`);
    const addPair = copy.prepare(`INSERT OR IGNORE INTO pairs VALUES (${id}, ${id}, ?, ?)`);
    const putPair = ({ a, b, p, weight }: { a: string; b: string; p: number; weight: number }) => {
      if (!images.has(a) || !images.has(b)) return;
      addImages.run(a, b);
      addPair.run(a, b, p, weight);
    };
    for (const some of chunksOf(images, rowsPerBatch))
      for (const { image, score } of points.all({ images: JSON.stringify(some), teacher }) as Row[]) {
        addImages.run(image!, image!);
        addPoint.run(image!, scores?.get(String(image)) ?? score!);
      }
    for (const row of countedPairs(store, { teacher, pairs, minConfidence })) putPair(row);
    for (const row of ofPeople.iterate({ teacher }) as Iterable<Row>)
      putPair(row as unknown as Parameters<typeof putPair>[0]);
    copy.exec("COMMIT");
  } finally {
    copy.close();
  }
}

type Row = Record<string, string | number>;
