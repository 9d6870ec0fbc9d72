import type { ItemFailure } from "../../protocol/failures.ts";
import type { ProgressSink } from "../../protocol/progress.ts";
import type { Text } from "../../protocol/text.ts";
import { LeafError } from "../base/errors.ts";
import { seededOrder } from "../base/seededRank.ts";
import { nameIn, type Project } from "../config/project.ts";
import { maxPixelsOf } from "../images/limits.ts";
import { openLabels } from "../labels/labels.ts";
import { ownPoints } from "../labels/teacherAnswers.ts";
import { openStudent, scoreImages } from "../student/student.ts";
import type { Candidates } from "./candidates.ts";
import { openFeatureStore, type StudentTable } from "./featureStore.ts";

/**
 * At most so many images are candidates of a selection that looks at features: of more, a seeded sample. 20,000 × 1280 features
 * are 100 MB, and choosing 2,000 of them by k-center takes some minutes on one core.
 */
export const mostCandidates = 20_000;

/** The editor's own process considers fewer, so that it answers at once and stays small: 4,000 × 1280 features are 20 MB. */
export const mostLiveCandidates = 4_000;

/** All hashes, or the seeded sample of them. */
export function sampleCandidates(
  hashes: readonly string[],
  seed: number,
  most = mostCandidates,
  purpose = "candidates",
): string[] {
  if (hashes.length <= most) return [...hashes];
  return seededOrder(seed, purpose, hashes).slice(0, most).sort();
}

export interface TableOptions {
  signal?: AbortSignal;
  onProgress?: ProgressSink;
  onWarning?: (message: Text) => void;
  /** Images without a score, found now or earlier. */
  onFailure?: (failure: ItemFailure) => void;
  threads?: number;
  /** The table's features are the `levels` of the student: see StudentCard. */
  levels?: boolean;
}

const perBatch = 64;

/**
 * Scores and features of some images by the student in `dir`; what was computed before is read from the cache, the rest is
 * added to it batch by batch. Unreadable images are told and left out.
 */
export async function studentTable(
  project: Project,
  studentKey: string,
  dir: string,
  items: readonly { hash: string; path: string }[],
  options: TableOptions = {},
): Promise<StudentTable> {
  const store = openFeatureStore(project, studentKey);
  try {
    const { levels = false } = options;
    const lacking = new Set(
      store.missing(
        items.map(({ hash }) => hash),
        { levels },
      ),
    );
    if (lacking.size > 0) {
      const wanted = items.filter(({ hash }) => lacking.has(hash));
      const student = await openStudent(dir, { threads: options.threads });
      try {
        let rows: Parameters<typeof store.put>[0][number][] = [];
        let done = 0;
        const { signal } = options;
        const maxPixels = maxPixelsOf(project.config);
        for await (const one of scoreImages(student, wanted, { signal, features: true, levels, maxPixels })) {
          if ("reason" in one) {
            const { reason } = one;
            const { hash, path } = one.item;
            // A file that changed or is gone is looked at again the next time.
            if (one.lasting) rows.push({ hash, score: null, features: null, reason });
            else options.onFailure?.({ kind: "score", file: nameIn(project, path), reason });
          } else {
            const { item, score, features, levels } = one;
            const beside = one.beside && Float32Array.from(Object.values(one.beside), (own) => own.score);
            rows.push({ hash: item.hash, score, features: features!, levels, beside });
          }
          if (rows.length >= perBatch) {
            store.put(rows);
            rows = [];
          }
          options.onProgress?.({
            stage: "score",
            step: "features",
            done: ++done,
            total: wanted.length,
            unit: "images",
          });
        }
        store.put(rows);
      } finally {
        await student.close();
      }
    }
    const hashes = items.map(({ hash }) => hash);
    if (options.onFailure) {
      const pathOf = new Map(items.map(({ hash, path }) => [hash, path]));
      for (const { hash, reason } of store.failed(hashes))
        options.onFailure({ kind: "score", file: nameIn(project, pathOf.get(hash)!), reason });
    }
    return store.table(hashes, { levels });
  } finally {
    store.close();
  }
}

/** The same of what is known already, without computing anything; `missing` were never looked at. */
export function knownStudentTable(
  project: Project,
  studentKey: string,
  hashes: readonly string[],
): { table: StudentTable; missing: number } {
  const store = openFeatureStore(project, studentKey);
  try {
    return { table: store.table(hashes), missing: store.missing(hashes).length };
  } finally {
    store.close();
  }
}

/** Joins the student's view with the own labels of a teacher, if one is given. */
export function candidatesOf(
  project: Project,
  teacher: string | undefined,
  table: StudentTable,
  seed: number,
  already: readonly string[] = [],
): Candidates {
  const n = table.hashes.length;
  const at = new Map(table.hashes.map((hash, i) => [hash, i]));
  const teacherScores = new Float64Array(n).fill(Number.NaN);
  const teacherEntropy = new Float64Array(n).fill(Number.NaN);
  const points = teacher === undefined ? [] : readOwnPoints(project, teacher, table.hashes);
  for (const point of points) {
    teacherScores[at.get(point.image)!] = point.score;
    teacherEntropy[at.get(point.image)!] = 1 - point.confidence;
  }
  return {
    ...table,
    teacherScores,
    teacherEntropy,
    seed,
    already: already.flatMap((hash) => at.get(hash) ?? []),
  };
}

function readOwnPoints(project: Project, teacher: string, hashes: readonly string[]) {
  try {
    const store = openLabels(project.labelsFile, { readOnly: true });
    try {
      return [...ownPoints(store, teacher, hashes)];
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof LeafError) return []; // No store yet: a student may come from elsewhere.
    throw error;
  }
}
