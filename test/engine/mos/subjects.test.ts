import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { opinionOf, opinionOfVotes, ratingsOfVotes } from "../../../src/engine/mos/ratings.ts";
import { fitSubjects, opinionsOf, ratersOf } from "../../../src/engine/mos/subjects.ts";
import raters from "../../fixtures/raters.json" with { type: "json" };
import { ratingsOf } from "../../support/ratings.ts";

const near = (found: Iterable<number>, wanted: readonly number[], by: number) => {
  const values = [...found];
  expect(values).toHaveLength(wanted.length);
  for (const [i, value] of values.entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(by);
};

describe("plain opinions", () => {
  it("are mean and standard deviation by hand", () => {
    // 1, 4, 5, 4: mean 14 / 4, squares 6.25 + 0.25 + 2.25 + 0.25 = 9.
    expect(opinionOf([1, 4, 5, 4])).toEqual({ mos: 3.5, n: 4, std: Math.sqrt(9 / 3) });
    expect(opinionOf([4])).toEqual({ mos: 4, n: 1 });
    const { mos, n } = opinionOfVotes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [2, 8, 19, 36, 76, 52, 16, 9, 3, 2]);
    expect([mos, n]).toEqual([1142 / 223, 223]);
  });

  it("of votes are those of the ratings that they count", () => {
    const grades = [1, 2, 3, 4, 5];
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 5, maxLength: 5 }), (counts) => {
        const { values } = ratingsOfVotes(grades, new Map([["a", counts]])).of("a")!;
        fc.pre(values.length > 1);
        const [voted, rated] = [opinionOfVotes(grades, counts), opinionOf(values)];
        expect(voted.n).toBe(rated.n);
        expect(voted.mos).toBeCloseTo(rated.mos, 12);
        expect(voted.std).toBeCloseTo(rated.std!, 12);
      }),
    );
  });
});

describe("bias-corrected opinions", () => {
  // Constants of sureal 0.9.0, SubjectMLEModelProjectionSolver2.
  it("are those of sureal", () => {
    const { ratings, quality, bias, inconsistency } = raters.twelve;
    const fit = fitSubjects(ratingsOf(ratings));
    expect(fit.weighted).toBe(true);
    near(fit.quality.values(), quality, 1e-5);
    near(fit.bias, bias, 1e-5);
    near(fit.inconsistency, inconsistency, 1e-5);
    const opinions = opinionsOf(ratingsOf(ratings), "bias-corrected");
    near(
      Array.from(opinions.values(), (one) => one.mos),
      quality,
      1e-5,
    );
  });

  // There sureal ends at an inconsistency of 0 for the first rater, whose ratings it takes for the quality.
  // Constants of the least-squares fit of image + rater (NumPy's lstsq).
  it("take off the bias alone where the weights would leave one rater", () => {
    const { quality, bias } = raters.six;
    const ratings = ratingsOf(raters.six.ratings);
    const fit = fitSubjects(ratings);
    expect(fit.weighted).toBe(false);
    near(fit.quality.values(), quality, 1e-5);
    // In the order in which they come first.
    near(
      fit.bias,
      ratings.raters.map((name) => bias[Number(name.slice("rater ".length))]!),
      1e-5,
    );
  });

  it("do not hang on who rated which image", () => {
    // Without noise, two of four raters an image: plain means are off by their biases, corrected ones are not.
    const bias = [-1, -0.5, 0.5, 1];
    const truth = Array.from({ length: 60 }, (_, i) => 20 + ((i * 37) % 60));
    const table = truth.map((quality, i) =>
      bias.map((one, rater) => (rater === i % 4 || rater === (i + 1 + (i % 3)) % 4 ? quality + one : null)),
    );
    const corrected = [...opinionsOf(ratingsOf(table), "bias-corrected").values()];
    near(
      corrected.map(({ mos }) => mos),
      truth,
      1e-6,
    );
    const plain = [...opinionsOf(ratingsOf(table), "plain").values()];
    expect(Math.max(...plain.map(({ mos }, i) => Math.abs(mos - truth[i]!)))).toBeGreaterThan(0.7);
  });

  it("stay finite and in order, whatever the ratings", () => {
    const cell = fc.option(fc.integer({ min: 1, max: 5 }), { nil: null, freq: 4 });
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 4, maxLength: 4 }), { maxLength: 25 }), (table) => {
        for (const { mos, n } of opinionsOf(ratingsOf(table), "bias-corrected").values()) {
          expect(Number.isFinite(mos)).toBe(true);
          expect(n).toBeGreaterThan(0);
        }
        expect(ratersOf(ratingsOf(table)).every(({ bias }) => Number.isFinite(bias))).toBe(true);
      }),
    );
  });

  it("leave a rater of few ratings as he is", () => {
    const table = Array.from({ length: 20 }, (_, i) => [3, 3, i === 0 ? 5 : null]);
    const fit = fitSubjects(ratingsOf(table));
    expect(fit.bias[2]).toBe(0);
  });
});

describe("raters", () => {
  // The kurtosis screening of BT.500-15 in NumPy, with n − 1 in the deviation.
  it("that BT.500 would reject are named, and count all the same", () => {
    const ratings = ratingsOf(raters.twelve.ratings);
    const found = ratersOf(ratings);
    expect(found.map(({ outlier }) => outlier === "screened")).toEqual(raters.twelve.screened);
    expect(found.map((one) => one.ratings)).toEqual([29, 30, 30, 29, 30, 30, 30, 29, 30, 30, 30, 29]);
    expect(opinionsOf(ratings, "plain").get("image 0")!.n).toBe(12);
  });

  it("who rate the other way round are named", () => {
    const table = Array.from({ length: 12 }, (_, i) => [i, i + 1, i - 1, 11 - i]);
    expect(ratersOf(ratingsOf(table)).map(({ outlier }) => outlier)).toEqual([
      undefined,
      undefined,
      undefined,
      "reversed",
    ]);
  });

  it("are no outliers where all say the same", () => {
    const table = Array.from({ length: 30 }, () => [3, 3, 3]);
    expect(ratersOf(ratingsOf(table)).map(({ outlier, agreement }) => [outlier, agreement])).toEqual(
      Array(3).fill([undefined, null]),
    );
  });
});
