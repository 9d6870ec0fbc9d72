import { mkdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { configSchema, defaultMinConfidence } from "../../src/engine/config/config.ts";
import { type Project, projectOf } from "../../src/engine/config/project.ts";
import { openForScan } from "../../src/engine/dataset/index/file.ts";
import { foldedNames } from "../../src/engine/dataset/index/names.ts";
import type { SplitName } from "../../src/engine/dataset/split.ts";
import { leastConfidence } from "../../src/engine/labels/counting.ts";
import { openLabels, type PairRow, type PointRow } from "../../src/engine/labels/labels.ts";
import { type LiveContext, type Scorer, scoresSchema } from "../../src/engine/scoring/context.ts";
import type { StudentCard } from "../../src/protocol/student.ts";

/** Databases of a project as the stages and the server leave them, with rows but without pictures. */
export interface LiveWorld {
  project: Project;
  context: LiveContext;
}

export interface WorldImage {
  path: string;
  hash: string;
  error?: string;
  mtimeMs?: number;
}

export const hashOf = (i: number) => i.toString(16).padStart(32, "0");

export function liveProject(root: string, config: Record<string, unknown> = {}): Project {
  return projectOf(path.join(root, "leaf.yaml"), configSchema.parse({ images: "photos", ...config }));
}

export function putIndex(project: Project, images: Iterable<WorldImage>): void {
  const db = openForScan(project.indexFile);
  const put = db.prepare(
    "INSERT OR REPLACE INTO files VALUES (?, 1000, ?, ?, 'jpeg', 640, 480, ?, NULL, 1, ?, ?)",
  );
  db.exec("BEGIN");
  for (const image of images) {
    const { name, stem } = foldedNames(image.path);
    put.run(image.path, image.mtimeMs ?? 0, image.hash, image.error ?? null, name, stem);
  }
  db.exec("COMMIT");
  db.close();
}

export function dropFromIndex(project: Project, file: string): void {
  const db = openForScan(project.indexFile);
  db.prepare("DELETE FROM files WHERE path = ?").run(file);
  db.close();
}

export function putScores(
  project: Project,
  scorer: string,
  scores: Iterable<[hash: string, score: number, distance?: number, sd?: number]>,
): void {
  mkdirSync(project.cache, { recursive: true });
  const db = new DatabaseSync(path.join(project.cache, "scores.sqlite"), { timeout: 5000 });
  db.exec("PRAGMA journal_mode = WAL");
  if (db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.n === 0) db.exec(scoresSchema);
  const put = db.prepare(
    "INSERT OR REPLACE INTO scores (scorer, hash, score, distance, sd) VALUES (?, ?, ?, ?, ?)",
  );
  db.exec("BEGIN");
  for (const [hash, score, distance, sd] of scores)
    put.run(scorer, hash, score, distance ?? null, sd ?? null);
  db.exec("COMMIT");
  db.close();
}

export function putLabels(
  project: Project,
  teacher: string,
  points: PointRow[],
  pairs: PairRow[] = [],
): void {
  const store = openLabels(project.labelsFile);
  store.registerTeacher({ fingerprint: teacher, kind: "fake", description: {} });
  store.putPoints(teacher, points);
  store.putPairs(teacher, pairs);
  store.close();
}

/** What a snapshot for one training holds. */
export function learned(file: string): {
  points: [string, number][];
  pairs: [a: string, b: string, p: number, weight: number][];
} {
  const db = new DatabaseSync(file, { readOnly: true });
  const all = (sql: string) =>
    db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)) as never[];
  const points = all("SELECT hash, score FROM points JOIN images ON id = image_id ORDER BY hash");
  const pairs = all(
    `SELECT a.hash AS a, b.hash AS b, p, weight FROM pairs JOIN images a ON a.id = a_id JOIN images b ON b.id = b_id
     ORDER BY a.hash, b.hash`,
  );
  db.close();
  return { points, pairs };
}

export function pointRow(image: string, score: number): PointRow {
  return { image, ok: true, score, probabilities: [0.1, 0.2, 0.4, 0.2, 0.1], mass: 0.9, confidence: 0.25 };
}

export function pairRow(a: string, b: string, p: number, confidence: number, positionBias = 0): PairRow {
  return { a, b, ok: true, p, pAB: p, pBA: p, positionBias, confidence };
}

export const embeddedScorer: Scorer = {
  kind: "embedded",
  fingerprint: "t",
  dir: null,
  card: null,
  run: null,
};

export function studentScorer(mosScale: StudentCard["mosScale"] = null): Scorer {
  const card = { v: 1, stage: mosScale ? "calibrate" : "distill", mosScale } as StudentCard;
  return { kind: "student", fingerprint: "calibrate-1", dir: null, card, run: "r1" };
}

export function liveContext(
  project: Project,
  {
    mos = new Map(),
    splitOf = () => "train",
    scorer = studentScorer(),
  }: {
    mos?: ReadonlyMap<string, number>;
    splitOf?: (hash: string) => SplitName;
    scorer?: Scorer;
  } = {},
): LiveContext {
  const minConfidence = leastConfidence(project.config, defaultMinConfidence);
  const { temperature: given } = project.config.distill.loss;
  const temperature = given === "auto" ? 1 : given;
  return { project, mos, splitOf, teacher: "t", scorer, minConfidence, temperature };
}
