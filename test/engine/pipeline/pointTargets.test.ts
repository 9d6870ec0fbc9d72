import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { writeLabelSnapshot } from "../../../src/engine/labels/snapshot.ts";
import { srcc } from "../../../src/engine/metrics/agreement.ts";
import { sampledPairs } from "../../../src/engine/pipeline/plan/label.ts";
import { withPlan } from "../../../src/engine/pipeline/plan/plan.ts";
import { targetScores } from "../../../src/engine/pipeline/plan/pointTargets.ts";
import { makeStageDir, writeResult } from "../../../src/engine/pipeline/stage.ts";
import { pairConfidence, sigmoid } from "../../../src/engine/teachers/judgement.ts";
import {
  hashOf,
  learned,
  liveProject,
  pairRow,
  pointRow,
  putIndex,
  putLabels,
} from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const n = 100;
/** Preferences know it; point-wise scores are three words. */
const quality = (hash: string) => 1 + ((Number.parseInt(hash, 16) * 37) % n) / 25;
const pointOf = (hash: string) => 1 + Math.floor(quality(hash) / 2);

test("distill.target makes the ranking the score that is learnt, of training images, beside a person's word; another target is another key", async () => {
  const root = temporaryFolder();
  const world = (distill: Record<string, unknown> = {}) =>
    liveProject(root, { distill, split: { test: 0, val: 0.1 } });
  const project = world();
  putIndex(
    project,
    Array.from({ length: n }, (_, i) => ({ path: `photos/${i}.jpg`, hash: hashOf(i) })),
  );
  const catalog = await openCatalog(project, { trustIndex: true });
  onTestFinished(() => catalog.close());
  const { train, val, teacher } = await withPlan(project, catalog, async (plan) => {
    const label = await plan.label();
    const teacher = await plan.teacher();
    putLabels(
      project,
      teacher,
      catalog.hashes.map((hash) => pointRow(hash, pointOf(hash))),
    );
    const store = openLabels(project.labelsFile);
    const pairs = [...sampledPairs(project, label, store)].map(([a, b]) => {
      const p = sigmoid((quality(a) - quality(b)) / 0.5);
      return pairRow(a, b, p, pairConfidence(p));
    });
    store.putPairs(teacher, pairs);
    store.overridePoint(label.needs.train[0]!, 4.5);
    store.close();
    await makeStageDir(project, "label", label.key);
    await writeResult(project, label, { points: { labelled: n }, pairs: { labelled: pairs.length } });
    return { ...label.needs, teacher };
  });
  const store = openLabels(project.labelsFile, { readOnly: true });
  onTestFinished(() => store.close());
  const planned = (target?: string) =>
    withPlan(world(target === undefined ? {} : { target }), catalog, async (plan) => {
      const distill = await plan.distill();
      return { ...distill, scores: targetScores(plan, distill.label, store) };
    });
  const [unsaid, points, ranking, both] = [
    await planned(),
    await planned("points"),
    await planned("ranking"),
    await planned("both"),
  ];
  expect(points.key).toBe(unsaid.key);
  expect(new Set([points.key, ranking.key, both.key]).size).toBe(3);
  expect(unsaid.inputs.distill).not.toHaveProperty("target");
  expect(ranking.inputs.distill).toMatchObject({ target: "ranking" });
  const agreement = ({ scores }: { scores: Map<string, number> }) =>
    srcc(
      Float64Array.from(train.slice(1), (hash) => scores.get(hash)!),
      Float64Array.from(train.slice(1), quality),
    )!;
  for (const hash of catalog.hashes.filter((one) => one !== train[0]))
    expect(points.scores.get(hash)).toBe(pointOf(hash));
  expect(agreement(ranking)).toBeGreaterThan(0.995);
  expect(agreement(ranking)).toBeGreaterThan(agreement(points) + 0.02);
  for (const { scores } of [points, ranking, both]) {
    expect(scores.get(train[0]!)).toBe(4.5);
    for (const hash of val) expect(scores.get(hash)).toBe(pointOf(hash));
  }
  // T is that of the scores which are learnt: these follow from the preferences but for the ranking's prior.
  expect(ranking.temperature).not.toBe(points.temperature);
  expect(ranking.temperature).toBeGreaterThan(0.3);
  expect(ranking.temperature).toBeLessThan(0.7);

  const file = path.join(root, "snapshot.sqlite");
  writeLabelSnapshot(store, file, {
    teacher,
    images: new Set(catalog.hashes),
    pairs: [],
    minConfidence: 0.1,
    scores: ranking.scores,
  });
  expect(new Map(learned(file).points)).toEqual(ranking.scores);
});

test("pairs that answers chose are an input of distill", async () => {
  const root = temporaryFolder();
  const project = liveProject(root, { label: { pairs: "adaptive" } });
  putIndex(
    project,
    Array.from({ length: 20 }, (_, i) => ({ path: `photos/${i}.jpg`, hash: hashOf(i) })),
  );
  const catalog = await openCatalog(project, { trustIndex: true });
  onTestFinished(() => catalog.close());
  const planned = (chosen?: string) =>
    withPlan(project, catalog, async (plan) => {
      const label = await plan.label();
      await makeStageDir(project, "label", label.key);
      await writeResult(project, label, { points: { labelled: 20 }, ...(chosen && { chosen }) });
      return plan.distill();
    });
  const [none, first, second] = [await planned(), await planned("aa"), await planned("bb")];
  expect(none.inputs).not.toHaveProperty("pairs");
  expect(first.inputs.pairs).toBe("aa");
  expect(second.key).not.toBe(first.key);
});
