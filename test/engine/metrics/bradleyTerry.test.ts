import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/engine/base/random.ts";
import { srcc } from "../../../src/engine/metrics/agreement.ts";
import { fitBradleyTerry } from "../../../src/engine/metrics/bradleyTerry.ts";

describe("Bradley-Terry", () => {
  it("is the ridge logistic regression of numpy, with its errors", () => {
    // Newton on the dense design matrix, and gradient descent, in numpy; both came to the same.
    const { score, error, dispersion, pairs } = fitBradleyTerry({
      n: 5,
      a: [0, 0, 1, 2, 0, 3, 1],
      b: [1, 2, 2, 3, 3, 4, 4],
      p: [0.9, 0.7, 0.4, 0.8, 1, 0.6, 0.3],
    });
    const expected = [1.28248239, -0.60476576, 0.26301488, -0.60476576, -0.33596575];
    for (const [i, one] of expected.entries()) expect(score[i]).toBeCloseTo(one, 7);
    expect(dispersion).toBeCloseTo(0.14940710398288767, 7);
    const errors = [0.70754531, 0.67504508, 0.66773718, 0.67504508, 0.7000898];
    for (const [i, one] of errors.entries()) expect(error[i]).toBeCloseTo(one, 6);
    expect([...pairs]).toEqual([3, 3, 3, 3, 2]);
  });

  it("gives scores back that the preferences follow from, but for the prior", () => {
    const truth = [-1, -0.3, 0.2, 1.1];
    const [a, b, p]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < 4; i++)
      for (let j = i + 1; j < 4; j++) {
        a.push(i);
        b.push(j);
        p.push(1 / (1 + Math.exp(truth[j]! - truth[i]!)));
      }
    const { score } = fitBradleyTerry({ n: 4, a, b, p }, 1e-9);
    for (const [i, one] of truth.entries()) expect(score[i]).toBeCloseTo(one, 4);
  });

  it("is finite and of mean 0 whatever is said, and turns with it", () => {
    const pair = fc.record({ a: fc.nat(7), b: fc.nat(7), p: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 40 }), (all) => {
        const some = all.filter(({ a, b }) => a !== b);
        const [a, b, p] = [some.map((one) => one.a), some.map((one) => one.b), some.map((one) => one.p)];
        const fit = fitBradleyTerry({ n: 8, a, b, p });
        expect(fit.score.every(Number.isFinite) && fit.error.every((one) => one > 0)).toBe(true);
        expect(fit.score.reduce((sum, one) => sum + one, 0)).toBeCloseTo(0, 5);
        const turned = fitBradleyTerry({ n: 8, a: b, b: a, p });
        for (const [i, one] of fit.score.entries()) expect(turned.score[i]).toBeCloseTo(-one, 4);
      }),
      { numRuns: 60 },
    );
  });

  it("errors tell how far scores are off, also where they are estimated", () => {
    const random = seededRandom(1);
    const n = 420;
    const truth = Float64Array.from({ length: n }, (_, i) => (4 * i) / n - 2);
    const [a, b, p]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < n; i++)
      for (let k = 0; k < 10; k++) {
        const j = (i + 1 + Math.floor(random() * (n - 1))) % n;
        a.push(i);
        b.push(j);
        p.push(random() < 1 / (1 + Math.exp(truth[j]! - truth[i]!)) ? 1 : 0);
      }
    const { score, error, dispersion } = fitBradleyTerry({ n, a, b, p });
    expect(srcc(score, truth)!).toBeGreaterThan(0.9);
    expect(dispersion).toBeGreaterThan(0.8);
    expect(dispersion).toBeLessThan(1.3);
    const within = score.filter((one, i) => Math.abs(one - truth[i]!) < 2 * error[i]!).length / n;
    expect(within).toBeGreaterThan(0.9);
  });
});
