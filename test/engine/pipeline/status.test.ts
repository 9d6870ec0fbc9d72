import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { openProject, type Project } from "../../../src/engine/config/project.ts";
import { type Catalog, openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { stagePlan, withPlan } from "../../../src/engine/pipeline/plan/plan.ts";
import { listRuns, recordStage, runFor } from "../../../src/engine/pipeline/runs.ts";
import { makeStageDir, writeResult } from "../../../src/engine/pipeline/stage.ts";
import { stagesOf } from "../../../src/engine/pipeline/status.ts";
import type { StageReason } from "../../../src/protocol/project.ts";
import type { StageName } from "../../../src/protocol/results.ts";
import { stageNames } from "../../../src/protocol/results.ts";
import { hashOf, pointRow, putIndex, putLabels } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

// Everything but pictures and training: a project whose four stages are done, then something changes.
interface World {
  project: Project;
  catalog: Catalog;
}

const mosOf = (i: number) => 1 + ((i * 37) % 120) / 30;

async function world(root: string, config: object, images = 120, mos = mosOf): Promise<World> {
  writeFileSync(
    path.join(root, "leaf.yaml"),
    stringify({ images: "photos", mos: { file: "mos.csv" }, calibrate: { ratio: 0.3 }, ...config }),
  );
  const rows = Array.from({ length: images }, (_, i) => `${i}.jpg,${mos(i).toFixed(4)}`);
  writeFileSync(path.join(root, "mos.csv"), `image,mos\n${rows.join("\n")}\n`);
  const project = await openProject(path.join(root, "leaf.yaml"));
  rmSync(project.indexFile, { force: true });
  putIndex(
    project,
    Array.from({ length: images }, (_, i) => ({ path: `photos/${i}.jpg`, hash: hashOf(i) })),
  );
  const catalog = await openCatalog(project, { trustIndex: true });
  onTestFinished(() => catalog.close());
  return { project, catalog };
}

async function done({ project, catalog }: World, upTo: StageName = "evaluate"): Promise<void> {
  for (const stage of stageNames.slice(0, stageNames.indexOf(upTo) + 1))
    await withPlan(project, catalog, async (plan) => {
      const planned = await stagePlan(plan, stage);
      if (stage === "label")
        putLabels(
          project,
          await plan.teacher(),
          catalog.hashes.map((hash) => pointRow(hash, mosOf(Number.parseInt(hash, 16)))),
        );
      const dir = await makeStageDir(project, stage, planned.key);
      for (const name of ["student.onnx", "student.json"]) writeFileSync(path.join(dir, name), "{}");
      await writeResult(
        project,
        planned,
        stage === "label" ? { points: { labelled: catalog.hashes.length } } : {},
      );
      const run = await runFor(project, planned.keys);
      await recordStage(project, run, stage, { key: planned.key, seconds: 1, result: {} });
    });
}

async function states({ project, catalog }: World): Promise<Record<string, string | StageReason>> {
  const stages = await stagesOf(project, catalog, await listRuns(project));
  return Object.fromEntries(stages.map(({ stage, state, reason }) => [stage, reason ?? state]));
}

const base = { teacher: { kind: "embedded" } };
const labelIsStale = { kind: "upstream", stage: "label", state: "stale" };

describe("why a stage is stale", () => {
  it("is nothing where nothing changed", async () => {
    const one = await world(temporaryFolder(), base);
    expect(await states(one)).toEqual({
      label: "missing",
      distill: "missing",
      calibrate: "missing",
      evaluate: "missing",
    });
    await done(one);
    expect(await states(one)).toEqual({
      label: "fresh",
      distill: "fresh",
      calibrate: "fresh",
      evaluate: "fresh",
    });
  });

  it("is never a setting that the stage does not depend on", async () => {
    const root = temporaryFolder();
    await done(await world(root, base));
    // How many processes train changes no result.
    const two = await world(root, {
      ...base,
      distill: { processes: 2, launch: { nodes: 2, rendezvous: "a:1", restarts: 3 } },
    });
    expect(await states(two)).toMatchObject({ label: "fresh", distill: "fresh" });
    // One image less: the images are why, and nothing else.
    const fewer = await world(root, { ...base, distill: { processes: 2 } }, 119);
    expect(await states(fewer)).toMatchObject({
      label: { kind: "changed", changes: [{ key: "images" }] },
      distill: labelIsStale,
    });
    // A threshold of distill is no reason for label.
    const threshold = await world(root, { ...base, label: { minConfidence: 0.3 } }, 119);
    expect(await states(threshold)).toMatchObject({
      label: { kind: "changed", changes: [{ key: "images" }] },
      distill: { kind: "changed", changes: [{ key: "label.minConfidence", before: 0.1, after: 0.3 }] },
    });
  });

  it("is no search for near duplicates that found none", async () => {
    const similar = { ...base, split: { similar: 0.95 } };
    for (const before of [base, similar]) {
      const root = temporaryFolder();
      await done(await world(root, before));
      expect(await states(await world(root, similar))).toMatchObject({ label: "fresh", distill: "fresh" });
      expect(await states(await world(root, similar, 119))).toMatchObject({
        label: { kind: "changed", changes: [{ key: "images" }] },
      });
    }
  });

  it("is no threshold where all pairs count", async () => {
    const root = temporaryFolder();
    const all = { distill: { loss: { confidence: false } } };
    const one = await world(root, { ...base, ...all, label: { minConfidence: 0.3 } });
    await done(one);
    // As a former version, which trained on the same pairs, named it for the default.
    const plain = await world(root, { ...base, ...all });
    expect(await states(plain)).toMatchObject({ label: "fresh", distill: "fresh" });
    const weighed = await world(root, { ...base, label: { minConfidence: 0.2 } });
    expect(await states(weighed)).toMatchObject({
      label: "fresh",
      distill: { kind: "changed", changes: [{ key: "distill.loss.confidence", before: false, after: true }] },
    });
  });

  it.each([
    ["distill", { distill: { epochs: 30 } }, [{ key: "distill.epochs", before: 20, after: 30 }]],
    ["label", { label: { pairsPerImage: 3 } }, [{ key: "label.pairsPerImage", before: 8, after: 3 }]],
    ["calibrate", { calibrate: { ratio: 0.6 } }, [{ key: "calibrate.ratio", before: 0.3, after: 0.6 }]],
    ["evaluate", { evaluate: { bootstrap: 50 } }, [{ key: "evaluate.bootstrap", before: 1000, after: 50 }]],
  ] as const)("of %s is the setting that changed, with both values", async (stage, config, changes) => {
    const root = temporaryFolder();
    await done(await world(root, base));
    const now = await states(await world(root, { ...base, ...config }));
    expect(now[stage]).toEqual({ kind: "changed", changes });
    for (const earlier of stageNames.slice(0, stageNames.indexOf(stage))) expect(now[earlier]).toBe("fresh");
    const next = stageNames[stageNames.indexOf(stage) + 1];
    if (next) expect(now[next]).toEqual({ kind: "upstream", stage, state: "stale" });
  });

  it("is the human scores where these changed, however the config reads", async () => {
    const root = temporaryFolder();
    await done(await world(root, base));
    const other = await states(await world(root, base, 120, (i) => 0.9 * mosOf(i) + 0.2));
    expect(other).toMatchObject({
      label: "fresh",
      distill: "fresh",
      calibrate: { kind: "changed", changes: [{ key: "ratings" }] },
      evaluate: { kind: "changed", changes: [{ key: "ratings" }] },
    });
  });

  it("is a person's word while it stands, and nothing once it is taken back", async () => {
    const root = temporaryFolder();
    const one = await world(root, base);
    await done(one);
    const store = openLabels(one.project.labelsFile);
    store.overridePair(hashOf(0), hashOf(1), 1);
    expect((await states(one)).distill).toEqual({ kind: "changed", changes: [{ key: "overrides" }] });
    store.overridePair(hashOf(0), hashOf(1), null);
    store.close();
    expect(await states(one)).toEqual({
      label: "fresh",
      distill: "fresh",
      calibrate: "fresh",
      evaluate: "fresh",
    });
  });

  it("is unknown where a former version kept no inputs", async () => {
    const root = temporaryFolder();
    const one = await world(root, base);
    await done(one);
    const { key } = await withPlan(one.project, one.catalog, (plan) => plan.label());
    writeFileSync(path.join(one.project.stages, "label", key, "result.json"), JSON.stringify({ points: {} }));
    const fewer = await world(root, base, 119);
    expect((await states(fewer)).label).toEqual({ kind: "unknown" });
  });

  it("is that there are no human scores, as a kind and not as a sentence", async () => {
    const root = temporaryFolder();
    const { project, catalog } = await world(root, { ...base, mos: undefined });
    mkdirSync(project.leaf, { recursive: true });
    expect(await states({ project, catalog })).toMatchObject({
      calibrate: { kind: "noHumanScores" },
      evaluate: { kind: "noHumanScores" },
    });
  });
});
