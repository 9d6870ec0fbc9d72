import { rmSync } from "node:fs";
import { type LabelStore, openLabels, type PairRow, type PointRow, type Snapshot } from "./labels.ts";

import { describedBy } from "./rules.ts";

const rowsPerBatch = 5000;

export interface SnapshotSelection {
  teacher: string;
  images: ReadonlySet<string>;
  pairs: Iterable<[string, string]>;
}

/**
 * Copies the usable labels of some images and pairs into a store of their own, a person's in place of the teacher's: what
 * one training learns from, unchanged by whatever is labelled meanwhile. An older copy is overwritten.
 */
export async function writeLabelSnapshot(
  store: LabelStore,
  file: string,
  { teacher, images, pairs }: SnapshotSelection,
): Promise<Snapshot> {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  const copy = openLabels(file);
  try {
    const about = store.db
      .prepare("SELECT kind, description FROM teachers WHERE fingerprint = ?")
      .get(teacher);
    copy.registerTeacher({
      fingerprint: teacher,
      kind: String(about?.kind),
      description: describedBy(about?.description),
    });
    for (const hashes of batches(images)) {
      const rows: PointRow[] = hashes.flatMap((image) => {
        const label = store.point(teacher, image);
        return label ? [{ ...label, ok: true as const }] : [];
      });
      copy.putPoints(teacher, rows);
    }
    for (const some of batches(pairs)) {
      const rows: PairRow[] = some.flatMap(([a, b]) => {
        const label = images.has(a) && images.has(b) ? store.pair(teacher, a, b) : undefined;
        return label ? [{ ...label, ok: true as const }] : [];
      });
      copy.putPairs(teacher, rows);
    }
    // A person may have compared images that the sampler did not choose.
    const chosen: PairRow[] = [];
    for (const label of store.pairs("human"))
      if (images.has(label.a) && images.has(label.b)) chosen.push({ ...label, ok: true });
    copy.putPairs(teacher, chosen);
    // One file: the trainer opens it read-only, from wherever the folder is mounted.
    copy.db.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
    return copy.snapshot(teacher);
  } finally {
    copy.close();
  }
}

function* batches<T>(items: Iterable<T>): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length === rowsPerBatch) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
