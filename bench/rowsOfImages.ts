import { seededRandom } from "../src/engine/base/random.ts";
import type { Project } from "../src/engine/config/project.ts";
import {
  hashOf,
  liveProject,
  pairRow,
  pointRow,
  putIndex,
  putLabels,
  putScores,
} from "../test/support/liveWorld.ts";

/** A project made of rows alone: index, labels, pairs, scores. There are no files. */
export interface RowsOfImages {
  project: Project;
  name(i: number): string;
  hash(i: number): string;
}

export function makeRowsOfImages(root: string, count: number): RowsOfImages {
  const random = seededRandom("hover");
  const hash = (i: number) => hashOf((i * 2654435761) % 2 ** 32);
  const name = (i: number) => `photos/folder-${i % 40}/image ${i}.jpg`;
  const project = liveProject(root, { mos: { file: "mos.csv" } });
  const all = Array.from({ length: count }, (_, i) => i);
  putIndex(
    project,
    all.map((i) => ({ path: name(i), hash: hash(i), mtimeMs: i })),
  );
  putScores(
    project,
    "calibrate-1",
    all.map((i) => [hash(i), 1 + 4 * random()]),
  );
  putLabels(
    project,
    "t",
    all.map((i) => pointRow(hash(i), 1 + 4 * random())),
    all.flatMap((i) => {
      const [a, b] = [hash(i), hash((i + 1) % count)].sort() as [string, string];
      return [pairRow(a, b, random(), random())];
    }),
  );
  return { project, name, hash };
}
