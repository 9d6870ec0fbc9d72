import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Config, configSchema } from "../../../src/engine/config/config.ts";
import type { SplitName } from "../../../src/engine/dataset/split.ts";
import { samplePairs } from "../../../src/engine/labelling/pairs.ts";
import {
  checkPairs,
  judgedImages,
  planLabel,
  sampledPairs,
} from "../../../src/engine/pipeline/plan/label.ts";
import type { LabelPlan, Plan } from "../../../src/engine/pipeline/plan/types.ts";
import { hashOf } from "../../support/liveWorld.ts";

interface World {
  splits: SplitName[];
  /** Which of the images have a MOS. */
  rated?: (i: number) => boolean;
  config?: string;
}

/** A plan of `label` needs no more than config, splits and MOS. */
function planned({ splits, rated = () => true, config = "{}" }: World): Promise<LabelPlan> {
  const of = new Map(splits.map((split, i) => [hashOf(i), split]));
  const mos = new Map([...of.keys()].filter((_, i) => rated(i)).map((hash, i) => [hash, 1 + (i % 5)]));
  const hashes = [...of.keys()].sort();
  return planLabel({
    project: { config: configSchema.parse({ images: "p", ...parse(config) }) as Config },
    catalog: {
      hashes,
      mos,
      splitOf: (hash: string) => of.get(hash)!,
      digestOf: (all: string[]) => all.join(),
    },
    asked: () => [],
    teacher: async () => "t",
    judges: async () => ({ fingerprint: "t", members: [{ fingerprint: "t", config: { kind: "embedded" } }] }),
  } as unknown as Plan);
}

/** Random pairs are drawn without a look into the store. */
const store = undefined as never;
const learnt = (plan: LabelPlan, pairsPerImage = 8) =>
  [
    ...sampledPairs(
      { config: configSchema.parse({ images: "p", label: { pairsPerImage } }) } as never,
      plan,
      store,
    ),
  ] as [string, string][];

const splitsOf = fc.array(fc.constantFrom<SplitName>("train", "train", "train", "val", "test"), {
  minLength: 2,
  maxLength: 150,
});

describe("what is labelled, and what for", () => {
  it("compares training images alone, each with about as many as asked for, no two of them twice", async () => {
    await fc.assert(
      fc.asyncProperty(splitsOf, fc.integer({ min: 1, max: 12 }), async (splits, pairsPerImage) => {
        const plan = await planned({ splits });
        const train = splits.flatMap((split, i) => (split === "train" ? [hashOf(i)] : []));
        const partners = new Map(train.map((hash) => [hash, 0]));
        const pairs = learnt(plan, pairsPerImage);
        expect(new Set(pairs.map(String)).size).toBe(pairs.length);
        for (const hash of pairs.flat()) partners.set(hash, partners.get(hash)! + 1);
        // A NaN is an image that does not train.
        expect([...partners.values()].every(Number.isFinite)).toBe(true);
        const k = Math.min(pairsPerImage, train.length - 1);
        if (train.length > 0)
          expect((2 * pairs.length) / train.length).toBeGreaterThanOrEqual(k - 1 / Math.max(1, train.length));
        if (k > 0)
          expect(Math.min(...partners.values())).toBeGreaterThanOrEqual(Math.max(1, Math.floor(k / 2)));
      }),
    );
  });

  it("asks nothing of a test image, unless it is compared with people by name", async () => {
    const splits = Array.from(
      { length: 100 },
      (_, i): SplitName => (i < 70 ? "train" : i < 80 ? "val" : "test"),
    );
    const mos = "mos: { file: mos.csv, range: [1, 5] }";
    const named = async (config: string, rated = (i: number) => i % 2 === 0) => {
      const { train, val, checks } = (await planned({ splits, rated, config })).needs;
      expect([train.length, val.length]).toEqual([70, 10]);
      return [checks.images.length, checks.pairs.length];
    };
    expect(await named("{}")).toEqual([0, 0]);
    // The teacher's row of the evaluation.
    expect(await named(mos)).toEqual([10, 0]);
    expect(await named(`${mos}\nevaluate: { split: val }`)).toEqual([0, 0]);
    // 10 rated images have 45 pairs, 5 have 10; of more there are 300 at most.
    expect(await named(`${mos}\nlabel: { check: [test] }`)).toEqual([10, 45]);
    expect(await named(`${mos}\nlabel: { check: [val] }\nevaluate: { split: val }`)).toEqual([5, 10]);
    expect(await named(`${mos}\nlabel: { check: [train] }\nevaluate: { split: val }`, () => true)).toEqual([
      70, 300,
    ]);
    // 10 % of 35 are 4 calibration images.
    expect(await named(`${mos}\nlabel: { minConfidence: auto }`)).toEqual([10, 6]);
    const unweighed = "label: { minConfidence: auto }\ndistill: { loss: { confidence: false } }";
    expect(await named(`${mos}\n${unweighed}`)).toEqual([10, 0]);
  });

  it("without human scores asks for a point of each test image too, by the same key", async () => {
    const splits: SplitName[] = ["train", "train", "train", "val", "test", "test"];
    const [alone, scored] = await Promise.all([
      planned({ splits }),
      planned({ splits, config: "mos: { file: mos.csv, range: [1, 5] }" }),
    ]);
    expect(judgedImages(alone.needs)).toEqual(splits.map((_, i) => hashOf(i)).sort());
    expect(judgedImages(scored.needs)).toEqual([0, 1, 2, 3].map(hashOf).sort());
    expect(alone.key).toBe(scored.key);
    expect(new Set(learnt(alone).flat())).toEqual(new Set([0, 1, 2].map(hashOf)));
  });

  it("is another key for another image or another split of it, and the same for another rating or test image", async () => {
    const splits: SplitName[] = ["train", "train", "train", "val", "test"];
    const config = "mos: { file: mos.csv, range: [1, 5] }";
    const { key } = await planned({ splits, config });
    expect((await planned({ splits, config, rated: (i) => i > 3 })).key).toBe(key);
    expect((await planned({ splits: [...splits, "test"], config })).key).toBe(key);
    expect((await planned({ splits: [...splits, "train"], config })).key).not.toBe(key);
    expect((await planned({ splits: ["train", "train", "val", "val", "test"], config })).key).not.toBe(key);
  });

  it("draws the pairs of training images again that a plan of all images drew", async () => {
    // Of 1000 images as LEAF drew them before, whatever they were for.
    const splits = Array.from(
      { length: 1000 },
      (_, i): SplitName => (i % 10 < 7 ? "train" : i % 10 < 8 ? "val" : "test"),
    );
    const plan = await planned({ splits });
    const train = new Set(plan.needs.train);
    const all = splits.map((_, i) => hashOf(i));
    const before = [...samplePairs(all, { perImage: 8, strategy: "random", seed: 0 })];
    const useful = before.filter((pair) => pair.every((hash) => train.has(hash)));
    // Half of what was asked was learnt from.
    expect(useful.length / before.length).toBeLessThan(0.52);
    const now = new Set(learnt(plan).map(String));
    expect(now.size).toBe((700 * 8) / 2);
    expect(useful.filter((pair) => now.has(String(pair))).length / useful.length).toBeGreaterThan(0.98);
  });

  it("spreads checks over images, without repeats", () => {
    const images = Array.from({ length: 900 }, (_, i) => hashOf(i));
    const pairs = checkPairs(images, 0);
    expect(new Set(pairs.map(String)).size).toBe(300);
    expect(new Set(pairs.flat()).size).toBe(600);
    expect(checkPairs([...images].reverse(), 0)).toEqual(pairs);
    expect(checkPairs(images.slice(0, 1), 0)).toEqual([]);
  });
});
