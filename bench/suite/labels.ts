import { rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { seededRandom } from "../../src/engine/base/random.ts";
import type * as Labels from "../../src/engine/labels/labels.ts";
import type * as Merge from "../../src/engine/labels/merge.ts";
import type * as Snapshot from "../../src/engine/labels/snapshot.ts";
import { engineOf } from "./source.ts";
import type { Work } from "./work.ts";

const [amount, images, perBatch] = [200_000, 20_000, 1000];
const teacher = "t";
type Pair = Extract<Labels.PairRow, { ok: true }>;

/** Pairs of one teacher: stored as its answers come, read for a training, merged into another store. */
export const labels: readonly Work[] = [
  {
    name: `store ${amount.toLocaleString("en")} pair labels`,
    peer: "bare INSERTs in one transaction",
    aim: 0.5,
    async prepare(folder, leaf) {
      const store = await storeOf(leaf);
      const rows = drawn();
      return {
        ours: () => timed(() => store(path.join(folder, "labels.sqlite"), rows)),
        peer: () => timed(() => bareInserts(path.join(folder, "bare.sqlite"), rows)),
      };
    },
  },
  {
    name: `write ${amount.toLocaleString("en")} pair labels for a training`,
    peer: "bare INSERTs in one transaction",
    aim: 0.5,
    async prepare(folder, leaf) {
      const rows = drawn();
      const file = path.join(folder, "labels.sqlite");
      (await storeOf(leaf))(file, rows);
      const { openLabels } = await engineOf<typeof Labels>(leaf, "labels/labels.ts");
      const { writeLabelSnapshot } = await engineOf<typeof Snapshot>(leaf, "labels/snapshot.ts");
      const pairs = rows.map(({ a, b }): [string, string] => [a, b]);
      const all = new Set(pairs.flat());
      return {
        ours: () =>
          timed(() => {
            const store = openLabels(file, { readOnly: true });
            const to = path.join(folder, "training.sqlite");
            writeLabelSnapshot(store, to, { teacher, images: all, pairs, minConfidence: 0.1 });
            store.close();
          }),
        peer: () => timed(() => bareInserts(path.join(folder, "bare.sqlite"), rows)),
      };
    },
  },
  {
    name: `merge ${amount.toLocaleString("en")} pair labels into an empty store`,
    peer: "bare INSERTs in one transaction",
    aim: 0.5,
    async prepare(folder, leaf) {
      const rows = drawn();
      const other = path.join(folder, "other.sqlite");
      (await storeOf(leaf))(other, rows);
      const { openLabels } = await engineOf<typeof Labels>(leaf, "labels/labels.ts");
      const { mergeLabels } = await engineOf<typeof Merge>(leaf, "labels/merge.ts");
      const file = path.join(folder, "labels.sqlite");
      return {
        ours: () =>
          timed(() => {
            removeDatabase(file);
            const store = openLabels(file);
            mergeLabels(store, other);
            store.close();
          }),
        peer: () => timed(() => bareInserts(path.join(folder, "bare.sqlite"), rows)),
      };
    },
  },
];

async function storeOf(leaf: string): Promise<(file: string, rows: readonly Pair[]) => void> {
  const { openLabels } = await engineOf<typeof Labels>(leaf, "labels/labels.ts");
  return (file, rows) => {
    removeDatabase(file);
    const store = openLabels(file);
    store.registerTeacher({ fingerprint: teacher, kind: "fake", description: {} });
    for (let at = 0; at < rows.length; at += perBatch) store.putPairs(teacher, rows.slice(at, at + perBatch));
    store.close();
  };
}

/** What would do without images by hash, more than one teacher, failures, and anybody else who reads or writes. */
function bareInserts(file: string, rows: readonly Pair[]): void {
  removeDatabase(file);
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    CREATE TABLE pairs(a TEXT NOT NULL, b TEXT NOT NULL, p REAL, p_ab REAL, p_ba REAL, confidence REAL, PRIMARY KEY(a, b));
    BEGIN`);
  const put = db.prepare("INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?)");
  for (const { a, b, p, pAB, pBA, confidence } of rows) put.run(a, b, p, pAB, pBA, confidence);
  db.exec("COMMIT");
  db.close();
}

/** Each image with ten others at random. */
function drawn(): Pair[] {
  const random = seededRandom("labels");
  const hash = (i: number) => ((i * 2654435761) % 2 ** 32).toString(16).padStart(8, "0").repeat(4);
  return Array.from({ length: amount }, (_, at) => {
    const [i, round] = [at % images, Math.floor(at / images)];
    const [a, b] = [hash(i), hash((i + 1 + 997 * round) % images)].sort() as [string, string];
    const p = random();
    return { a, b, ok: true, p, pAB: p, pBA: p, positionBias: 0, confidence: Math.abs(2 * p - 1) };
  });
}

async function timed(work: () => void): Promise<number> {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

function removeDatabase(file: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
}
