import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashWords } from "../../../src/engine/base/random.ts";
import { type PairPlan, type PairStrategy, samplePairs } from "../../../src/engine/labelling/pairs.ts";

const strategies = ["random", "near", "mixed"] as const;

function imageHash(i: number): string {
  return [0, 1]
    .flatMap((seed) => hashWords(`image ${i}`, seed))
    .map((word) => word.toString(16).padStart(8, "0"))
    .join("");
}
const imagesOf = (n: number) => Array.from({ length: n }, (_, i) => imageHash(i));
const scoreOf = (hash: string) => 1 + (4 * Number.parseInt(hash.slice(0, 8), 16)) / 2 ** 32;
const key = ([a, b]: [string, string]) => `${a} ${b}`;

function draw(images: Iterable<string>, plan: Partial<PairPlan> = {}): [string, string][] {
  return [...samplePairs(images, { perImage: 8, strategy: "mixed", seed: 0, ...plan }, scoreOf)];
}

function degrees(images: string[], pairs: [string, string][]): number[] {
  const count = new Map(images.map((image) => [image, 0]));
  for (const image of pairs.flat()) count.set(image, count.get(image)! + 1);
  return [...count.values()];
}

function isConnected(images: string[], pairs: [string, string][]): boolean {
  const parent = new Map(images.map((image) => [image, image]));
  const root = (image: string): string => {
    let at = image;
    while (parent.get(at) !== at) at = parent.get(at)!;
    parent.set(image, at);
    return at;
  };
  let parts = images.length;
  for (const [a, b] of pairs) {
    if (root(a) === root(b)) continue;
    parent.set(root(a), root(b));
    parts--;
  }
  return parts === 1;
}

const plans = fc.record({
  n: fc.integer({ min: 2, max: 120 }),
  perImage: fc.integer({ min: 1, max: 24 }),
  strategy: fc.constantFrom<PairStrategy>(...strategies),
  seed: fc.integer(),
});

describe("pair sampling", () => {
  it("gives canonical pairs without repeats, connects all images and keeps close to the number asked for", () => {
    fc.assert(
      fc.property(plans, ({ n, ...plan }) => {
        const images = imagesOf(n);
        const pairs = draw(images, plan);
        for (const [a, b] of pairs) expect(a < b).toBe(true);
        expect(new Set(pairs.map(key)).size).toBe(pairs.length);
        const k = Math.min(plan.perImage, n - 1);
        const of = degrees(images, pairs);
        expect(Math.min(...of)).toBeGreaterThanOrEqual(Math.max(1, Math.floor(k / 2)));
        expect(Math.max(...of)).toBeLessThanOrEqual(Math.ceil(1.5 * k) + 1);
        expect(Math.abs((2 * pairs.length) / n - k)).toBeLessThanOrEqual(1);
        if (k > 1) expect(isConnected(images, pairs)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it.each(strategies)("%s: depends on hashes and seed, not on the order of images", (strategy) => {
    const images = imagesOf(90);
    const pairs = draw(images, { strategy });
    expect(draw([...images].reverse(), { strategy })).toEqual(pairs);
    expect(draw([...images, ...images], { strategy })).toEqual(pairs);
    expect(draw(images, { strategy, seed: 1 })).not.toEqual(pairs);
  });

  it("begins with the pairs of a smaller number", () => {
    const images = imagesOf(200);
    for (const strategy of strategies) {
      const eight = draw(images, { strategy });
      const ten = draw(images, { strategy, perImage: 10 });
      expect(ten.slice(0, eight.length)).toEqual(eight);
      const nine = draw(images, { strategy, perImage: 9 }).map(key);
      expect(nine.slice(0, eight.length)).toEqual(eight.map(key));
      const inTen = new Set(ten.map(key));
      expect(nine.filter((one) => !inTen.has(one))).toEqual([]);
    }
  });

  it("keeps over nine tenths of 4000 pairs when an image is added", () => {
    const images = imagesOf(1001);
    for (const [strategy, lost] of [
      ["random", 10],
      ["mixed", 200],
      ["near", 300],
    ] as const) {
      const before = draw(images.slice(1), { strategy });
      const after = new Set(draw(images, { strategy }).map(key));
      expect(before.filter((pair) => !after.has(key(pair))).length, strategy).toBeLessThan(lost);
    }
  });

  it("compares all with all where there are few images", () => {
    expect(draw(imagesOf(5))).toHaveLength(10);
    expect(draw(imagesOf(9))).toHaveLength(36);
    expect(draw(imagesOf(2), { perImage: 1 })).toHaveLength(1);
    expect(draw(imagesOf(1))).toEqual([]);
    expect(draw([])).toEqual([]);
    expect(draw(imagesOf(5), { perImage: 0 })).toEqual([]);
  });

  it("gives each image one partner for k = 1, and nobody none", () => {
    for (const n of [10, 11]) {
      const images = imagesOf(n);
      const pairs = draw(images, { perImage: 1 });
      expect(pairs).toHaveLength(Math.ceil(n / 2));
      expect(Math.min(...degrees(images, pairs))).toBe(1);
    }
  });

  it("near compares images of close scores, but not the closest", () => {
    const images = imagesOf(2000);
    const gap = (strategy: PairStrategy) => {
      const gaps = draw(images, { strategy }).map(([a, b]) => Math.abs(scoreOf(a) - scoreOf(b)));
      return gaps.sort((a, b) => a - b)[gaps.length >> 1]!;
    };
    expect(gap("random")).toBeGreaterThan(1);
    expect(gap("near")).toBeLessThan(0.5);
    expect(gap("near")).toBeGreaterThan(0.1);
    const withoutScores = [...samplePairs(images, { perImage: 8, strategy: "near", seed: 0 })];
    expect(isConnected(images, withoutScores)).toBe(true);
  });

  it("neighbouring pairs share an image, so that a small cache serves", () => {
    const pairs = draw(imagesOf(500), { strategy: "random" });
    const shared = pairs.filter((pair, i) => i > 0 && pair.some((image) => pairs[i - 1]!.includes(image)));
    expect(shared.length / pairs.length).toBeGreaterThan(0.95);
  });

  it("streams: the first pairs of many images come without the rest", () => {
    const stream = samplePairs(imagesOf(50_000), { perImage: 8, strategy: "random", seed: 0 });
    expect(stream.next().done).toBe(false);
    stream.return(undefined);
  });

  it("draws pairs that look random: partners are spread over all images", () => {
    const images = imagesOf(400);
    const place = new Map([...images].sort().map((image, i) => [image, i]));
    const pairs = draw(images, { strategy: "random" });
    const mean =
      pairs.reduce((sum, [a, b]) => sum + Math.abs(place.get(a)! - place.get(b)!), 0) / pairs.length;
    // Two uniform places are a third of the range apart on average.
    expect(mean / 400).toBeGreaterThan(0.3);
    expect(mean / 400).toBeLessThan(0.367);
  });
});
