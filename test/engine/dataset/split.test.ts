import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseCalibrationSubset } from "../../../src/engine/dataset/calibrationSubset.ts";
import {
  drawSplit,
  type SplitName,
  type SplitSource,
  splitImages,
} from "../../../src/engine/dataset/split.ts";
import { makeIndex, type TestIndex } from "../../support/imageIndex.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const singles = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`h${i}`, `g${i}`]));
const tally = (of: Map<string, SplitName>) => {
  const counts = { train: 0, val: 0, test: 0 };
  for (const name of of.values()) counts[name] += 1;
  return counts;
};

describe("drawSplit", () => {
  it("has exact shares", () => {
    expect(tally(drawSplit(singles(100), { test: 0.2, val: 0.1, seed: 0 }))).toEqual({
      train: 70,
      val: 10,
      test: 20,
    });
    expect(tally(drawSplit(singles(7), { test: 0.2, val: 0.1, seed: 0 }))).toEqual({
      train: 5,
      val: 1,
      test: 1,
    });
    expect(tally(drawSplit(singles(3), { test: 0.2, val: 0.1, seed: 5 }))).toEqual({
      train: 1,
      val: 1,
      test: 1,
    });
    expect(tally(drawSplit(singles(50), { test: 0, val: 0, seed: 0 }))).toEqual({
      train: 50,
      val: 0,
      test: 0,
    });
    expect(tally(drawSplit(singles(0), { test: 0.2, val: 0.1, seed: 0 }))).toEqual({
      train: 0,
      val: 0,
      test: 0,
    });
    expect(tally(drawSplit(singles(1), { test: 0.2, val: 0.1, seed: 0 }))).toMatchObject({ train: 1 });
  });

  it("does not put a giant group into test", () => {
    for (let seed = 0; seed < 20; seed++) {
      const groups = singles(40);
      for (let i = 0; i < 60; i++) groups.set(`giant${i}`, "giant");
      const of = drawSplit(groups, { test: 0.2, val: 0.1, seed });
      expect(tally(of)).toEqual({ train: 70, val: 10, test: 20 });
      expect(of.get("giant0")).toBe("train");
    }
  });

  const share = fc.double({ min: 0, max: 0.45, noNaN: true });
  const grouped = fc
    .array(fc.integer({ min: 0, max: 25 }), { maxLength: 120 })
    .map((groups) => new Map(groups.map((group, i) => [`h${i}`, `g${group}`])));

  it("keeps groups whole, near the shares, whatever the order", () => {
    fc.assert(
      fc.property(grouped, share, share, fc.integer(), (groupOf, test, val, seed) => {
        const of = drawSplit(groupOf, { test, val, seed });
        expect([...of.keys()].sort()).toEqual([...groupOf.keys()].sort());
        const splitOf = new Map<string, SplitName>();
        const sizes = new Map<string, number>();
        for (const [hash, group] of groupOf) {
          expect(splitOf.get(group) ?? of.get(hash)).toBe(of.get(hash));
          splitOf.set(group, of.get(hash)!);
          sizes.set(group, (sizes.get(group) ?? 0) + 1);
        }
        const largest = Math.max(0, ...sizes.values());
        const counts = tally(of);
        expect(counts.test).toBeLessThanOrEqual(test * groupOf.size + largest + 1);
        expect(counts.val).toBeLessThanOrEqual(val * groupOf.size + largest + 1);
        if (sizes.size >= 3) {
          expect(counts.train).toBeGreaterThan(0);
          if (test > 0) expect(counts.test).toBeGreaterThan(0);
          if (val > 0) expect(counts.val).toBeGreaterThan(0);
        }
        const reversed = drawSplit(new Map([...groupOf].reverse()), { test, val, seed });
        expect(new Map([...reversed].sort())).toEqual(new Map([...of].sort()));
      }),
    );
  });

  it("moves few images when one is added, and all sorts with another seed", () => {
    const before = drawSplit(singles(500), { test: 0.2, val: 0.1, seed: 1 });
    const after = drawSplit(singles(505), { test: 0.2, val: 0.1, seed: 1 });
    const moved = [...before].filter(([hash, name]) => after.get(hash) !== name).length;
    expect(moved).toBeLessThanOrEqual(10);
    const other = drawSplit(singles(500), { test: 0.2, val: 0.1, seed: 2 });
    expect([...before].filter(([hash, name]) => other.get(hash) !== name).length).toBeGreaterThan(150);
  });
});

const base: SplitSource = { test: 0.2, val: 0.2, seed: 0, groupBy: null };

describe("splitImages", () => {
  const scenes = Array.from({ length: 60 }, (_, i) => `photos/scene${Math.floor(i / 6)}_${i % 6}.png`);

  it("groups by a pattern on the path", async () => {
    const { index, hashOf } = makeIndex([...scenes, "photos/alone.png"]);
    const split = await splitImages(index, { ...base, groupBy: { pattern: "(scene[0-9]+)_" } });
    expect(split).toMatchObject({ groups: 11, ungrouped: 1, unlisted: 0 });
    expect(split.counts.train + split.counts.val + split.counts.test).toBe(61);
    for (let scene = 0; scene < 10; scene++) {
      const names = [0, 1, 2, 3, 4, 5].map((i) => split.of.get(hashOf(`photos/scene${scene}_${i}.png`)));
      expect(new Set(names).size).toBe(1);
    }
    expect(split.counts.test).toBe(12);
  });

  it("groups by a column", async () => {
    const { index, hashOf } = makeIndex(scenes);
    const columns = new Map(
      scenes.slice(0, 30).map((file, i) => [hashOf(file), { camera: i % 2 ? "a" : "b" }]),
    );
    const split = await splitImages(index, { ...base, groupBy: "camera" }, { columns });
    expect(split).toMatchObject({ groups: 32, ungrouped: 30 });
    const ofA = scenes.slice(0, 30).filter((_, i) => i % 2);
    expect(new Set(ofA.map((file) => split.of.get(hashOf(file)))).size).toBe(1);
  });

  it("refuses a pattern that is invalid or never ends", async () => {
    const slow = makeIndex([`photos/${"a".repeat(60)}!.png`]).index;
    for (const [pattern, message] of [
      ["(", /not a regular expression/],
      ["a", /one capture group/],
      ["^photos/((?:a+)+)$", /takes too long/],
    ] as const)
      await expect(splitImages(slow, { ...base, groupBy: { pattern } })).rejects.toMatchObject({
        code: "config",
        message,
      });
  });

  const fromFile = (
    text: string,
    test: TestIndex,
    source: Partial<SplitSource> = {},
    columns?: Map<string, Record<string, string>>,
  ) => {
    const file = path.join(temporaryFolder(), "split.csv");
    writeFileSync(file, text);
    return splitImages(test.index, { ...base, file, ...source }, { columns });
  };
  const four = makeIndex(["a_1.png", "a_2.png", "b_1.png", "b_2.png"]);

  it("reads a split file", async () => {
    const split = await fromFile("image,split\na_1,Training\na_2,train\nb_1,TEST\nno,val\n", four);
    expect(split.of.get(four.hashOf("a_1.png"))).toBe("train");
    expect(split.of.get(four.hashOf("b_1.png"))).toBe("test");
    expect(split.of.get(four.hashOf("b_2.png"))).toBe("train");
    expect(split).toMatchObject({ unlisted: 1, counts: { train: 3, val: 0, test: 1 } });
    expect(split.problems).toMatchObject([{ kind: "noImage", line: 5 }]);
    const named = await fromFile("f;set\na_1.png;validation\n", four, { image: "f", column: "set" });
    expect(named.of.get(four.hashOf("a_1.png"))).toBe("val");
  });

  it("places unlisted images with their group", async () => {
    const split = await fromFile("image,split\nb_1,test\n", four, { groupBy: { pattern: "^(.+)_" } });
    expect(split.of.get(four.hashOf("b_2.png"))).toBe("test");
  });

  it("refuses values, contradictions and torn groups", async () => {
    await expect(fromFile("image,split\na_1,train\na_2,dev\n", four)).rejects.toMatchObject({
      code: "config",
      line: 3,
      message: 'split.csv:3: "dev" is not a split.',
    });
    await expect(fromFile("image,split\na_1,constructor\n", four)).rejects.toMatchObject({ code: "config" });
    await expect(fromFile("image,split\na_1,train\na_1.png,test\n", four)).rejects.toThrow(
      /in train already/,
    );
    const torn = "image,split,scene\na_1,train,beach\na_2,test,beach\n";
    await expect(fromFile(torn, four, { groupBy: { pattern: "^(.+)_" } })).rejects.toMatchObject({
      code: "config",
      message: 'split.csv puts images of the group "a" in train and in test.',
    });
    await expect(fromFile(torn, four, { groupBy: "scene" })).rejects.toThrow(/group "beach"/);
    const columns = new Map([
      [four.hashOf("a_1.png"), { place: "x" }],
      [four.hashOf("a_2.png"), { place: "x" }],
    ]);
    await expect(fromFile(torn, four, { groupBy: "place" }, columns)).rejects.toThrow(/group "x"/);
    await expect(fromFile("image,set\na_1,train\n", four)).rejects.toThrow(/no column "split"/);
  });
});

describe("chooseCalibrationSubset", () => {
  const hashes = Array.from({ length: 200 }, (_, i) => `hash${i}`);

  it("takes the share, at least two, none for 0", () => {
    expect(chooseCalibrationSubset(hashes, 0.1, 0)).toHaveLength(20);
    expect(chooseCalibrationSubset(hashes, 0.001, 0)).toHaveLength(2);
    expect(chooseCalibrationSubset(hashes, 1, 0)).toHaveLength(200);
    expect(chooseCalibrationSubset(hashes, 0, 0)).toEqual([]);
    expect(chooseCalibrationSubset(["one"], 0.5, 0)).toEqual(["one"]);
    expect(chooseCalibrationSubset([], 0.5, 0)).toEqual([]);
    expect(chooseCalibrationSubset(hashes, 0.1, 1)).not.toEqual(chooseCalibrationSubset(hashes, 0.1, 0));
    expect(() => chooseCalibrationSubset(hashes, 1.5, 0)).toThrow(RangeError);
  });

  it("is nested, and blind to order and repetition", () => {
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 4 })),
        ratio,
        ratio,
        fc.integer(),
        (all, a, b, seed) => {
          const [small, large] = [Math.min(a, b), Math.max(a, b)].map((r) =>
            chooseCalibrationSubset(all, r, seed),
          );
          expect(large!.slice(0, small!.length)).toEqual(small);
          expect(chooseCalibrationSubset([...all, ...all].reverse(), a, seed)).toEqual(
            chooseCalibrationSubset(all, a, seed),
          );
        },
      ),
    );
  });
});
