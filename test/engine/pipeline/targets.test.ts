import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { openProject } from "../../../src/engine/config/project.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";
import { openCatalog, type TargetScores } from "../../../src/engine/dataset/catalog.ts";
import { humanCeiling } from "../../../src/engine/metrics/ceiling.ts";
import { type CollectedRatings, collectRatings } from "../../../src/engine/mos/ratings.ts";
import { withPlan } from "../../../src/engine/pipeline/plan/plan.ts";
import { readPredictions } from "../../../src/engine/pipeline/predictions.ts";
import { targetsBeside, withCeiling } from "../../../src/engine/pipeline/stages/evaluateTargets.ts";
import { writeRows } from "../../../src/engine/pipeline/stages/training.ts";
import type { TargetMetrics } from "../../../src/protocol/results.ts";
import { hashOf, putIndex } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const images = 60;

/** Every image has a quality; a noise, of 0..10 and best where low, has each whose number `noisy` takes. */
async function planned(score: unknown, noisy: (i: number) => boolean = () => true) {
  const root = temporaryFolder();
  const rows = Array.from({ length: images }, (_, i) => `${i}.jpg,${1 + (i % 5)},${noisy(i) ? i % 11 : ""}`);
  writeFileSync(path.join(root, "mos.csv"), `image,mos,noise\n${rows.join("\n")}\n`);
  writeFileSync(
    path.join(root, "leaf.yaml"),
    stringify({
      images: "photos",
      mos: { file: "mos.csv", score },
      calibrate: { ratio: 0.5 },
      evaluate: { bootstrap: 100 },
    }),
  );
  const project = await openProject(path.join(root, "leaf.yaml"));
  putIndex(
    project,
    Array.from({ length: images }, (_, i) => ({ path: `photos/${i}.jpg`, hash: hashOf(i) })),
  );
  const catalog = await openCatalog(project, { trustIndex: true });
  onTestFinished(() => catalog.close());
  return withPlan(project, catalog, async (plan) => ({
    root,
    catalog,
    calibrate: await plan.calibrate(),
    evaluate: await plan.evaluate("calibrate"),
    distilled: await plan.evaluate("distill"),
  }));
}

const noise = { column: "noise", range: [0, 10], lowerIsBetter: true };

it("one target is the same work however it is written", async () => {
  const [plain, list, map] = [
    await planned("mos"),
    await planned(["mos"]),
    await planned({ quality: "mos" }),
  ];
  for (const one of [list, map]) {
    expect(one.calibrate.inputs).toEqual(plain.calibrate.inputs);
    expect(one.calibrate.key).toBe(plain.calibrate.key);
    expect(one.evaluate.key).toBe(plain.evaluate.key);
  }
  expect(Object.keys({ ...plain.calibrate.inputs, ...plain.evaluate.inputs })).not.toContain("targets");
});

it("a second target changes calibration and its evaluation, and nothing before", async () => {
  const plain = await planned("mos");
  const both = await planned({ quality: "mos", noise });
  expect(both.calibrate.keys.distill).toBe(plain.calibrate.keys.distill);
  expect(both.distilled.key).toBe(plain.distilled.key);
  expect(both.calibrate.key).not.toBe(plain.calibrate.key);
  expect(both.calibrate.rows).toEqual(plain.calibrate.rows);
  const [target] = both.calibrate.targets;
  // The same images; a noise of 10 is a 1, of 0 a 5.
  expect(target!.rows.map(({ hash }) => hash)).toEqual(plain.calibrate.rows.map(({ hash }) => hash));
  for (const { hash, target: value } of target!.rows)
    expect(value).toBeCloseTo(5 - 0.4 * both.catalog.targets![0]!.mos.get(hash)!, 12);
  const other = await planned({ quality: "mos", noise: { ...noise, range: [0, 20] } });
  expect(other.calibrate.key).not.toBe(both.calibrate.key);
  expect(other.evaluate.key).not.toBe(both.evaluate.key);
  expect((await planned({ overall: "mos", noise })).calibrate.key).not.toBe(both.calibrate.key);
});

it("a target is topped up to its own share, and left out where fewer than two images have it", async () => {
  // Half of the images have a noise.
  const half = await planned({ quality: "mos", noise }, (i) => i % 2 === 0);
  const [target] = half.calibrate.targets;
  const rated = half.catalog.hashes.filter(
    (hash) => half.catalog.splitOf(hash) === "train" && half.catalog.targets![0]!.mos.has(hash),
  );
  const chosen = new Set(half.calibrate.rows.map(({ hash }) => hash));
  const both = rated.filter((hash) => chosen.has(hash)).length;
  expect(target!.rows).toHaveLength(Math.max(both, Math.round(rated.length / 2)));
  expect(new Set(target!.rows.map(({ hash }) => hash)).size).toBe(target!.rows.length);
  const none = await planned({ quality: "mos", noise }, () => false);
  expect(none.calibrate.targets).toEqual([]);
  expect(none.calibrate.key).toBe((await planned("mos")).calibrate.key);
});

it("the trainer is told all targets of an image in a row", async () => {
  const file = path.join(temporaryFolder(), "rows.csv");
  const row = (hash: string, target: number, split: "train" | "val" = "train") => ({ hash, split, target });
  const rowOf = new Map(["a", "b", "c"].map((hash, i) => [hash, i]));
  const main = [{ ...row("b", 4), weight: 0.5 }, row("c", 2, "val")];
  const beside = [
    {
      name: "noise, dark",
      range: [1, 5] as [number, number],
      lowerIsBetter: false,
      rows: [row("a", 1), row("b", 3)],
    },
  ];
  await writeRows(file, main, rowOf, beside);
  expect(readFileSync(file, "utf8")).toBe(
    'row,split,target,weight,"noise, dark"\n1,train,4,0.5,3\n2,val,2,1,\n0,train,,1,1\n',
  );
});

it("a target of single ratings has a ceiling of its own", () => {
  const hashes = Array.from({ length: 30 }, (_, i) => hashOf(i));
  const ratingsOf = (noise: number) => {
    const ratings = collectRatings();
    for (const [i, hash] of hashes.entries())
      for (const [k, rater] of ["a", "b", "c", "d"].entries())
        ratings.add(hash, 1 + (i % 5) + noise * ((((i * 7 + k * 5) % 11) - 5) / 5), rater);
    return ratings;
  };
  const target = { ...noise, name: "noise", range: [0, 10] as [number, number], mos: new Map(), hashes };
  const ceiling = (ratings: CollectedRatings) => {
    const raw = { ratings, how: "rows" } as NonNullable<TargetScores["raw"]>;
    const metrics = { name: "noise", range: target.range, lowerIsBetter: true } as TargetMetrics;
    return withCeiling(undefined, [{ ...target, raw }])(metrics).ceiling;
  };
  const [sure, unsure] = [ratingsOf(0.2), ratingsOf(2)];
  expect(ceiling(sure)).toEqual(humanCeiling(sure, hashes));
  expect(ceiling(unsure)!.srcc).toBeLessThan(ceiling(sure)!.srcc);
  const plain = { name: "other" } as TargetMetrics;
  expect(withCeiling(undefined, [target])(plain)).toEqual(plain);
});

it("compares each target with people's scores of it, on its scale", async () => {
  const dir = temporaryFolder();
  const parsed = parseConfig("images: .\nevaluate: { bootstrap: 100 }\n");
  if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
  const target = { name: "noise", column: "noise", range: [0, 10] as [number, number], lowerIsBetter: true };
  const mos = new Map([0, 2, 6, 9].map((value, i) => [hashOf(i), value]));
  const few = { ...target, name: "few", mos: new Map([[hashOf(1), 3]]), hashes: [hashOf(1)] };
  const beside = targetsBeside([{ ...target, mos, hashes: [0, 1, 2, 3].map(hashOf) }, few]);
  // On 1..5, best first: 10 - 10 (s - 1) / 4 is 0, 2.5, 5 and 10 of 0..10.
  for (const [i, score] of [5, 4, 3, 1].entries())
    beside.add({ hash: hashOf(i), path: `${i}.jpg`, group: "" }, { beside: { noise: { score } } });
  beside.add({ hash: hashOf(9), path: "9.jpg", group: "" }, { beside: { noise: { score: 2 } } });
  const found = await beside.finish(dir, parsed.config);
  expect(found).toMatchObject([{ name: "noise", n: 4, srcc: 1, krcc: 1 }]);
  // Off by 0, 0.5, -1 and 1.
  expect(found[0]!.rmse).toBeCloseTo(Math.sqrt(2.25 / 4), 12);
  const rows = await readPredictions(path.join(dir, "predictions-1.csv"));
  expect(rows.map(({ score, mos }) => [score, mos])).toEqual([
    [0, 0],
    [2.5, 2],
    [5, 6],
    [10, 9],
  ]);
});
