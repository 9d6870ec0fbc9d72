import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawSplit } from "../../../../src/engine/dataset/split.ts";
import { joinTwins } from "../../../../src/engine/dataset/twins/groups.ts";
import { leakProblems, leaksOf } from "../../../../src/engine/dataset/twins/leaks.ts";

const own = (n: number) => new Map(Array.from({ length: n }, (_, i) => [`h${i}`, `image h${i}`]));
const twins = (...pairs: [string, string][]) => pairs.map(([a, b]) => ({ a, b, alike: 0.99 }));

describe("groups of twins", () => {
  it("are linked sets of images, and join the groups that a config names", () => {
    const groups = own(12).set("h4", "group x").set("h5", "group x").set("h6", "group y");
    const { groupOf, families } = joinTwins(groups, twins(["h0", "h1"], ["h1", "h2"], ["h5", "h6"]));
    expect(families).toEqual([
      ["h0", "h1", "h2"],
      ["h5", "h6"],
    ]);
    expect(["h0", "h1", "h2"].map((hash) => groupOf.get(hash))).toEqual(Array(3).fill("image h0"));
    expect(["h4", "h5", "h6"].map((hash) => groupOf.get(hash))).toEqual(Array(3).fill("group x"));
    expect(groupOf.get("h3")).toBe("image h3");
  });

  it("are none where too many look alike to be copies of one picture", () => {
    const { groupOf, families, tooLarge } = joinTwins(
      own(8),
      twins(["h0", "h1"], ["h1", "h2"], ["h5", "h6"]),
    );
    expect(families).toEqual([["h5", "h6"]]);
    expect(tooLarge).toEqual([["h0", "h1", "h2"]]);
    expect(groupOf.get("h1")).toBe("image h1");
  });

  it("leave a split as it was where there are none, and hold whatever the order of the pairs", () => {
    const pair = fc.tuple(fc.nat(39), fc.nat(39)).filter(([a, b]) => a !== b);
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 15 }), fc.nat(100), (pairs, seed) => {
        const list = pairs.map(([a, b]) => [`h${a}`, `h${b}`].sort() as [string, string]);
        const { groupOf, families } = joinTwins(own(40), twins(...list));
        expect(joinTwins(own(40), twins(...list.toReversed())).groupOf).toEqual(groupOf);
        const of = drawSplit(groupOf, { test: 0.2, val: 0.1, seed });
        for (const family of families) expect(new Set(family.map((hash) => of.get(hash))).size).toBe(1);
        if (families.length === 0) expect(of).toEqual(drawSplit(own(40), { test: 0.2, val: 0.1, seed }));
      }),
      { numRuns: 50 },
    );
  });
});

it("tells of held-out images whose twin is in another split, of each the worst", () => {
  const splits: Record<string, "train" | "val" | "test"> = { a: "train", b: "test", c: "val", d: "test" };
  const catalog = {
    splitOf: (hash: string) => splits[hash]!,
    relativePathOf: (hash: string) => `${hash}.jpg`,
  };
  const leaks = leaksOf(catalog, [
    { a: "a", b: "b", alike: 0.97 },
    { a: "b", b: "c", alike: 0.99 },
    { a: "b", b: "d", alike: 1 },
    { a: "c", b: "a", alike: 0.96 },
  ]);
  expect(leaks).toEqual([
    { image: "b.jpg", split: "test", twin: "a.jpg", twinSplit: "train", alike: 0.97 },
    { image: "c.jpg", split: "val", twin: "a.jpg", twinSplit: "train", alike: 0.96 },
  ]);
  expect(leakProblems(leaks)[0]).toMatch(/^1 test image is the same picture as one in train/);
});
