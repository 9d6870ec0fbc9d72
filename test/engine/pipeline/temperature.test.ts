import { readdirSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { sampledPairs } from "../../../src/engine/pipeline/plan/label.ts";
import { withPlan } from "../../../src/engine/pipeline/plan/plan.ts";
import { makeStageDir, writeResult } from "../../../src/engine/pipeline/stage.ts";
import { pairConfidence, sigmoid } from "../../../src/engine/teachers/judgement.ts";
import { hashOf, liveProject, pairRow, pointRow, putIndex, putLabels } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const scoreOf = (hash: string) => 1 + ((Number.parseInt(hash, 16) * 37) % 120) / 30;

test("T is fitted to the labels that are learnt from, once, and distill depends on the number alone", async () => {
  const root = temporaryFolder();
  const project = liveProject(root);
  putIndex(
    project,
    Array.from({ length: 120 }, (_, i) => ({ path: `photos/${i}.jpg`, hash: hashOf(i) })),
  );
  const catalog = await openCatalog(project, { trustIndex: true });
  onTestFinished(() => catalog.close());
  const distillOf = (one = project) => withPlan(one, catalog, (plan) => plan.distill());
  // Nothing to fit to yet.
  expect((await distillOf()).temperature).toBe(1);

  const dir = await withPlan(project, catalog, async (plan) => {
    const label = await plan.label();
    const teacher = await plan.teacher();
    putLabels(
      project,
      teacher,
      catalog.hashes.map((hash) => pointRow(hash, scoreOf(hash))),
    );
    const store = openLabels(project.labelsFile);
    const pairs = [...sampledPairs(project, label, store)].map(([a, b]) => {
      const p = sigmoid((scoreOf(a) - scoreOf(b)) / 0.3);
      return pairRow(a, b, p, pairConfidence(p));
    });
    store.putPairs(teacher, pairs);
    // What a person says of a pair is no fact about the teacher.
    for (const { a, b } of pairs.slice(0, 40)) store.overridePair(a, b, scoreOf(a) > scoreOf(b) ? 0 : 1);
    store.close();
    await writeResult(project, label, { points: { labelled: 120 }, pairs: { labelled: pairs.length } });
    return makeStageDir(project, "label", label.key);
  });
  const fitted = await distillOf();
  expect(fitted.temperature).toBeCloseTo(0.3, 2);
  expect(fitted.inputs.distill).toMatchObject({ loss: { temperature: fitted.temperature } });
  const kept = () => readdirSync(path.join(dir, "fits")).filter((name) => name.startsWith("temperature-"));
  expect(kept()).toHaveLength(1);
  expect((await distillOf()).key).toBe(fitted.key);

  // The same number by name is the same work, and another one is another.
  const named = (temperature: number) =>
    distillOf({ ...liveProject(root, { distill: { loss: { temperature } } }) });
  expect((await named(fitted.temperature)).key).toBe(fitted.key);
  expect((await named(1)).key).not.toBe(fitted.key);
  expect(kept()).toHaveLength(1);
});
