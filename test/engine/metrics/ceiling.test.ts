import { describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../../../src/engine/base/random.ts";
import { humanCeiling, krippendorffAlpha, stepUp } from "../../../src/engine/metrics/ceiling.ts";
import { srcc } from "../../../src/engine/metrics/rank.ts";
import { collectRatings, ratingsOfVotes } from "../../../src/engine/mos/ratings.ts";
import { opinionsOf } from "../../../src/engine/mos/subjects.ts";
import raters from "../../fixtures/raters.json" with { type: "json" };
import { ratingsOf } from "../../support/ratings.ts";

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

describe("Krippendorff's alpha", () => {
  // Constants of the package krippendorff 0.9.0, level_of_measurement="interval".
  it("is that of the package, with ratings that are missing", () => {
    for (const { ratings, alpha } of [raters.twelve, raters.six])
      expect(krippendorffAlpha(ratingsOf(ratings))).toBeCloseTo(alpha, 9);
  });

  it("is 1 where all agree, not defined where all is one, and below 0 where they disagree", () => {
    expect(
      krippendorffAlpha(
        ratingsOf([
          [1, 1],
          [2, 2],
          [5, 5],
        ]),
      ),
    ).toBe(1);
    expect(
      krippendorffAlpha(
        ratingsOf([
          [3, 3],
          [3, 3],
        ]),
      ),
    ).toBeNull();
    // By hand: observed (16 + 16 + 0) / 6 · 2 / … = (2·16 + 2·16) / 6, expected 2·(6·(1+25+25+1+9+9) − 18²)/(6·5).
    const observed = (2 * 16 + 2 * 16) / 6;
    const expected = (2 * 6 * 70 - 2 * 18 ** 2) / (6 * 5);
    expect(
      krippendorffAlpha(
        ratingsOf([
          [1, 5],
          [5, 1],
          [3, 3],
        ]),
      ),
    ).toBeCloseTo(1 - observed / expected, 12);
  });
});

describe("the human ceiling", () => {
  it("is the SRCC that the true quality has with the MOS", () => {
    const random = seededRandom("ceiling test", 1);
    for (const [people, noise] of [
      [4, 1],
      [20, 2],
    ] as const) {
      const truth = Array.from({ length: 900 }, () => normal(random));
      const ratings = ratingsOf(
        truth.map((quality) => Array.from({ length: people }, () => quality + noise * normal(random))),
      );
      const ceiling = humanCeiling(ratings, ratings.keys())!;
      const mos = Array.from(opinionsOf(ratings, "plain").values(), (one) => one.mos);
      const reached = srcc(Float64Array.from(truth), Float64Array.from(mos))!;
      expect(Math.abs(ceiling.srcc - reached)).toBeLessThan(0.02);
      expect(ceiling.ci95[0]).toBeLessThan(ceiling.srcc);
      expect(ceiling.ci95[1]).toBeGreaterThan(ceiling.srcc);
      expect(ceiling.ratings).toBe(people);
      // Normal scores: alpha is the share of the variance that is quality.
      expect(ceiling.alpha).toBeCloseTo(1 / (1 + noise ** 2), 1);
    }
  });

  it("knows images with one rating, and raters who rated few", () => {
    const random = seededRandom("ceiling test", 2);
    const truth = Array.from({ length: 1500 }, () => normal(random));
    const table = truth.map((quality, i) =>
      Array.from({ length: 30 }, (_, rater) =>
        (rater * 7 + i) % 30 < (i % 3 === 0 ? 1 : 5) ? quality + normal(random) : null,
      ),
    );
    const ratings = ratingsOf(table);
    const ceiling = humanCeiling(ratings, ratings.keys())!;
    const mos = Array.from(opinionsOf(ratings, "plain").values(), (one) => one.mos);
    const reached = srcc(Float64Array.from(truth), Float64Array.from(mos))!;
    expect(Math.abs(ceiling.srcc - reached)).toBeLessThan(0.02);
    expect(ceiling.images).toBe(1000);
  });

  it("takes a look at some of many images, however many votes they have", () => {
    const grades = [1, 2, 3, 4, 5];
    const counts = new Map(
      Array.from(
        { length: 20_000 },
        (_, i) => [`${i}`, grades.map((grade) => 1 + ((i * grade) % 11))] as const,
      ),
    );
    counts.set("0", [1e9, 2e9, 0, 0, 0]);
    const started = performance.now();
    const votes = ratingsOfVotes(grades, counts);
    expect(votes.sizeOf("0")).toBe(5000);
    const ceiling = humanCeiling(votes, votes.keys())!;
    expect(ceiling.images).toBe(20_000);
    expect(ceiling.srcc).toBeGreaterThan(0.3);
    expect(performance.now() - started).toBeLessThan(60_000);
  });

  it("is steps of Spearman and Brown", () => {
    expect(stepUp(0.6, 2)).toBeCloseTo(1.2 / 1.6, 12);
    expect(stepUp(0.5, 3)).toBeCloseTo(0.75, 12);
  });

  it("is not raised by people who rate an image twice and agree with themselves", () => {
    const once = ratingsOf(raters.twelve.ratings);
    const twice = collectRatings();
    for (const key of once.keys()) {
      const { values, raters: by } = once.of(key)!;
      for (const [i, value] of values.entries())
        for (const off of [-0.5, 0.5]) twice.add(key, value + off, once.raters[by[i]!]!);
    }
    expect(humanCeiling(twice, twice.keys())).toEqual(humanCeiling(once, once.keys()));
  });

  it("is not there for too few images or single ratings, and the same at each look", () => {
    expect(
      humanCeiling(
        ratingsOf([
          [1, 2],
          [3, 4],
        ]),
        ["image 0", "image 1"],
      ),
    ).toBeUndefined();
    const single = collectRatings();
    for (let i = 0; i < 9; i++) single.add(`${i}`, i, "a");
    expect(humanCeiling(single, single.keys())).toBeUndefined();
    const ratings = ratingsOf(raters.twelve.ratings);
    expect(humanCeiling(ratings, ratings.keys())).toEqual(humanCeiling(ratings, ratings.keys()));
  });
});
