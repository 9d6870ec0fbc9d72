import { describe, expect, it } from "vitest";
import { hashWords, mixWords, randomInt, seededRandom } from "../../../src/engine/base/random.ts";

/** χ² of counts against all equal. */
function chiSquare(counts: number[]): number {
  const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length;
  return counts.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0);
}
// 63 degrees of freedom: the mean is 63, and one in a million is over 132.
const cells = 64;
const unlikely = 132;

describe("seeded numbers", () => {
  it("are the same for the same seed and others for another", () => {
    const take = (...seed: (string | number)[]) => {
      const random = seededRandom(...seed);
      return Array.from({ length: 5 }, random);
    };
    expect(take("a", 1)).toEqual(take("a", 1));
    expect(take("a", 1)).not.toEqual(take("a", 2));
    expect(take("a", 1)).not.toEqual(take("a1"));
    // Fixed, so that a change of the generator, which would change every seeded result, is seen.
    expect(take("leaf", 0).map((u) => Math.round(u * 1e6))).toEqual([69555, 909735, 754152, 383870, 921217]);
  });

  it("are uniform, also in pairs", () => {
    const random = seededRandom("uniform");
    const [single, double] = [new Array<number>(cells).fill(0), new Array<number>(cells).fill(0)];
    for (let i = 0; i < 64_000; i++) {
      single[randomInt(random, cells)]!++;
      double[8 * randomInt(random, 8) + randomInt(random, 8)]!++;
    }
    expect(chiSquare(single)).toBeLessThan(unlikely);
    expect(chiSquare(double)).toBeLessThan(unlikely);
  });
});

describe("hash words", () => {
  it("spread texts that differ in one letter, in both words and under a further mix", () => {
    const counts = [0, 1, 2].map(() => new Array<number>(cells).fill(0));
    for (let i = 0; i < 64_000; i++) {
      const [high, low] = hashWords(i.toString(16).padStart(32, "0"));
      counts[0]![high % cells]!++;
      counts[1]![low >>> 26]!++;
      counts[2]![mixWords(high, mixWords(low, 3)) >>> 26]!++;
    }
    for (const one of counts) expect(chiSquare(one)).toBeLessThan(unlikely);
  });

  it("depend on the seed, and are unsigned 32-bit numbers", () => {
    expect(hashWords("x", 1)).not.toEqual(hashWords("x", 2));
    for (const word of [...hashWords(""), ...hashWords("é🙂"), mixWords(0, 0), mixWords(2 ** 32 - 1, 5)]) {
      expect(Number.isInteger(word)).toBe(true);
      expect(word).toBeGreaterThanOrEqual(0);
      expect(word).toBeLessThan(2 ** 32);
    }
  });

  it("rarely collide", () => {
    const seen = new Set<number>();
    for (let i = 0; i < 200_000; i++) {
      const [high, low] = hashWords(`image ${i}`);
      seen.add(high * 2 ** 21 + (low >>> 11));
    }
    expect(seen.size).toBe(200_000);
  });
});
