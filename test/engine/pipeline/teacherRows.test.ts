import { expect, test } from "vitest";
import { type LabelStore, openLabels } from "../../../src/engine/labels/labels.ts";
import { risingLine, teacherRows } from "../../../src/engine/pipeline/plan/teacherRows.ts";
import type { Plan, TrainingRow } from "../../../src/engine/pipeline/plan/types.ts";
import { hashOf, pointRow } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const train = Array.from({ length: 12 }, (_, i) => hashOf(i));

function planWith(labels: LabelStore | undefined): Plan {
  return {
    project: { config: { distill: { target: "points" } } },
    label: async () => ({ needs: { train }, teacher: "t" }),
    labels: () => labels,
  } as unknown as Plan;
}

test("unrated training images get the teacher's score on the scale of the human ones", async () => {
  const store = openLabels(`${temporaryFolder()}/labels.sqlite`);
  store.registerTeacher({ fingerprint: "t", kind: "embedded", description: {} });
  // The teacher's score of image i is 1 + i / 4, and nothing of the last one.
  store.putPoints(
    "t",
    train.slice(0, 11).map((hash, i) => pointRow(hash, 1 + i / 4)),
  );
  store.overridePoint(hashOf(9), 5);
  const target = (i: number) => 2 + (1 + i / 4) / 2;
  const rows = (rated: number[], of = target): TrainingRow[] => [
    ...rated.map((i) => ({ hash: hashOf(i), split: "train" as const, target: of(i) })),
    { hash: "val", split: "val", target: 1 },
  ];
  const found = await teacherRows(planWith(store), { rows: rows([0, 1, 2, 3, 4]) });
  expect(found.map(({ hash, split }) => [hash, split])).toEqual(
    [5, 6, 7, 8, 9, 10].map((i) => [hashOf(i), "train"]),
  );
  for (const [at, i] of [5, 6, 7, 8, 10].entries())
    expect(found[i === 10 ? 5 : at]!.target).toBeCloseTo(target(i), 12);
  // What the student learnt of it was a person's word.
  expect(found[4]!.target).toBeCloseTo(2 + 5 / 2, 12);
  // Too few to know the scale, or the humans say the opposite.
  expect(await teacherRows(planWith(store), { rows: rows([0, 1, 2, 3]) })).toEqual([]);
  expect(await teacherRows(planWith(store), { rows: rows([0, 1, 2, 3, 4], (i) => -target(i)) })).toEqual([]);
  expect(await teacherRows(planWith(undefined), { rows: rows([0, 1, 2, 3, 4]) })).toEqual([]);
  store.close();
});

test("the line is that of least squares", () => {
  const line = risingLine([
    [1, 1],
    [2, 3],
    [3, 2],
    [4, 5],
    [5, 4],
  ])!;
  // Slope 0.8 through (3, 3).
  expect(line(3)).toBeCloseTo(3, 12);
  expect(line(5)).toBeCloseTo(4.6, 12);
  expect(risingLine(Array.from({ length: 9 }, () => [2, 3] as const))).toBe(undefined);
});
