import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashWords, seededRandom } from "../../../src/engine/base/random.ts";
import { type Answers, adaptiveRounds } from "../../../src/engine/labelling/adaptivePairs.ts";
import { samplePairs } from "../../../src/engine/labelling/pairs.ts";
import { allRounds } from "../../../src/engine/labelling/rounds.ts";
import { srcc } from "../../../src/engine/metrics/agreement.ts";
import { bradleyTerryScores } from "../../../src/engine/metrics/bradleyTerry.ts";

type Pair = [string, string];
const key = (pair: Pair) => pair.join(" ");
const imagesOf = (n: number) =>
  Array.from({ length: n }, (_, i) =>
    [0, 1]
      .flatMap((seed) => hashWords(`image ${i}`, seed))
      .map((word) => word.toString(16).padStart(8, "0"))
      .join(""),
  );
const qualityOf = (image: string) => Number.parseInt(image.slice(0, 8), 16) / 2 ** 32;
/** Answers that are all but certain unless two images are close, with an error of their own for each pair. */
const sharp: Answers = (pairs) =>
  pairs.map((pair) => {
    const error = 2 * (seededRandom("answer", ...pair)() - 0.5);
    return 1 / (1 + Math.exp(-20 * (qualityOf(pair[0]) - qualityOf(pair[1])) - 3 * error));
  });
const silent: Answers = (pairs) => pairs.map(() => Number.NaN);

const plan = { perImage: 8, strategy: "adaptive", seed: 0 } as const;
const drawn = (
  images: Iterable<string>,
  answers = sharp,
  some: Partial<{ perImage: number; seed: number }> = {},
) => [...allRounds(adaptiveRounds(images, { ...plan, ...some }, answers))];

function isConnected(images: string[], pairs: Pair[]): boolean {
  const reached = new Set(images.slice(0, 1));
  for (let before = 0; before < reached.size; ) {
    before = reached.size;
    for (const [a, b] of pairs) {
      if (reached.has(a)) reached.add(b);
      else if (reached.has(b)) reached.add(a);
    }
  }
  return reached.size === images.length;
}

describe("adaptive pairs", () => {
  it("are as many as random ones, canonical, of the images given, without repeats, and connect all of them", () => {
    const some = fc.record({
      n: fc.integer({ min: 2, max: 50 }),
      perImage: fc.integer({ min: 1, max: 20 }),
      seed: fc.integer(),
      answers: fc.constantFrom(sharp, silent, ((pairs) => pairs.map(() => 0.5)) as Answers),
    });
    fc.assert(
      fc.property(some, ({ n, perImage, seed, answers }) => {
        const images = imagesOf(n);
        const rounds = adaptiveRounds(images, { ...plan, perImage, seed }, answers);
        const pairs = [...allRounds(rounds)];
        expect(pairs.length).toBe(rounds.total);
        expect(pairs.length).toBe([...samplePairs(images, { perImage, strategy: "random", seed })].length);
        const known = new Set(images);
        for (const [a, b] of pairs) expect([a < b, known.has(a), known.has(b)]).toEqual([true, true, true]);
        expect(new Set(pairs.map(key)).size).toBe(pairs.length);
        if (perImage > 1) expect(isConnected(images, pairs)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("follow from hashes, seed and answers, in whatever order the images come", () => {
    const images = imagesOf(60);
    const pairs = drawn(images);
    expect(drawn([...images].reverse())).toEqual(pairs);
    expect(drawn([...images, ...images])).toEqual(pairs);
    expect(drawn(images, sharp, { seed: 1 })).not.toEqual(pairs);
    expect(drawn(images, silent)).not.toEqual(pairs);
    // The first round, a cycle, waits for nothing; for two partners it is all.
    expect(drawn(images, silent).slice(0, 60)).toEqual(pairs.slice(0, 60));
    expect(drawn(images, silent, { perImage: 2 })).toEqual([
      ...samplePairs(images, { ...plan, perImage: 2, strategy: "random" }),
    ]);
  });

  it("are nearer than random ones where answers are sharp, and order images better at the same cost", () => {
    const images = imagesOf(150);
    const truth = Float64Array.from(images, qualityOf);
    const place = new Map(images.map((image, i) => [image, i]));
    const told = (pairs: Pair[]) => {
      const [a, b] = [0, 1].map((side) => pairs.map((pair) => place.get(pair[side]!)!)) as [
        number[],
        number[],
      ];
      const { score } = bradleyTerryScores({ n: images.length, a, b, p: sharp(pairs) });
      const apart = pairs.map(([x, y]) => Math.abs(qualityOf(x) - qualityOf(y)));
      return { srcc: srcc(score, truth)!, apart: apart.reduce((sum, one) => sum + one, 0) / pairs.length };
    };
    const misses = [0, 0];
    for (const seed of [0, 1, 2]) {
      const adaptive = told(drawn(images, sharp, { seed }));
      const random = told([...samplePairs(images, { perImage: 8, strategy: "random", seed })]);
      expect(adaptive.apart).toBeLessThan(0.75 * random.apart);
      misses[0]! += 1 - adaptive.srcc;
      misses[1]! += 1 - random.srcc;
    }
    expect(misses[0]).toBeLessThan(0.75 * misses[1]!);
  });

  it("stay mostly the same with one more image, or one more answer", () => {
    const images = imagesOf(301);
    const before = new Set(drawn(images.slice(1)).map(key));
    const kept = (after: Pair[]) => after.filter((pair) => before.has(key(pair))).length / before.size;
    expect(kept(drawn(images))).toBeGreaterThan(0.6);
    const [lost] = drawn(images.slice(1));
    const without: Answers = (pairs) =>
      Array.from(sharp(pairs), (p, k) => (key(pairs[k]!) === key(lost!) ? Number.NaN : p));
    expect(kept(drawn(images.slice(1), without))).toBeGreaterThan(0.8);
  });

  it("pass over an image that no answer comes of", () => {
    const images = imagesOf(40);
    const broken = images[7]!;
    const answers: Answers = (pairs) =>
      Array.from(sharp(pairs), (p, k) => (pairs[k]!.includes(broken) ? Number.NaN : p));
    expect(drawn(images, answers).filter((pair) => pair.includes(broken))).toHaveLength(2);
  });
});
