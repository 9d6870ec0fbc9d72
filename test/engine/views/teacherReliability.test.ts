import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Project } from "../../../src/engine/config/project.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import type { SplitName } from "../../../src/engine/dataset/split.ts";
import { toCsv } from "../../../src/engine/tables/csvText.ts";
import { teacherFingerprint } from "../../../src/engine/teachers/createTeacher.ts";
import { teacherReliability } from "../../../src/engine/views/teacherReliability.ts";
import { liveProject, pairRow, pointRow, putLabels } from "../../support/liveWorld.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

const count = 40;

/** A teacher that is right on the training images and wrong on all others: whatever of it is right saw no others. */
async function world(): Promise<{ project: Project; of: Record<SplitName, number> }> {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "photos"));
  const names = Array.from({ length: count }, (_, i) => `photos/${i}.png`);
  for (const [i, name] of names.entries()) await picture(24, 24, i).toFile(path.join(root, name));
  const rows = names.map((name, i) => [name, 1 + (4 * i) / count, `series ${i % 8}`]);
  writeFileSync(path.join(root, "mos.csv"), toCsv(["image", "mos", "series"], rows));
  const project = liveProject(root, {
    mos: { file: "mos.csv", range: [1, 5] },
    split: { test: 0.25, val: 0.25, groupBy: "series" },
    calibrate: { from: "backbone" },
  });
  const catalog = await openCatalog(project);
  const byMos = [...catalog.hashes].sort((a, b) => catalog.mos.get(a)! - catalog.mos.get(b)!);
  const right = (hash: string) => catalog.splitOf(hash) === "train";
  const points = byMos.map((hash) => {
    const mos = catalog.mos.get(hash)!;
    return pointRow(hash, right(hash) ? mos : 6 - mos);
  });
  const pairs = byMos.flatMap((worse, i) =>
    byMos.slice(i + 1).flatMap((better) => {
      if (catalog.splitOf(worse) !== catalog.splitOf(better)) return [];
      const [a, b] = worse < better ? [worse, better] : [better, worse];
      return [pairRow(a, b, (a === better) === right(a) ? 0.99 : 0.01, 0.9)];
    }),
  );
  putLabels(project, await teacherFingerprint(project.config.teacher, project.root), points, pairs);
  catalog.close();
  return { project, of: catalog.counts };
}

test("the teacher is held against the human scores of training images; those of test images are looked at by name", async () => {
  const { project, of } = await world();
  const found = await teacherReliability(project);
  expect(found).toMatchObject({ split: "train", rated: of.train });
  expect(found.points).toMatchObject({ n: of.train, srcc: 1 });
  expect(found.pairs!.right).toBe(1);
  expect(found.confidentErrors).toEqual([]);
  const tested = await teacherReliability(project, { split: "test" });
  expect(tested).toMatchObject({ split: "test", rated: of.test, calibration: found.calibration });
  expect(tested.points).toMatchObject({ n: of.test, srcc: -1 });
  expect(tested.pairs!.right).toBe(0);
  expect(tested.confidentErrors.length).toBeGreaterThan(0);
  // The interval is by the groups of the split, of five images each.
  expect(found.points!.groups).toBe(of.train / 5);
});
