import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findFailureModes } from "../../../src/engine/pipeline/failureModes.ts";
import type { EvaluationFacts } from "../../../src/protocol/results.ts";
import { inEnglish, render } from "../../../src/words/text.ts";
import { pseudo, untranslated } from "../../support/pseudoLocale.ts";

const healthy: EvaluationFacts = {
  student: "calibrate",
  n: 200,
  srcc: 0.8,
  plcc: 0.79,
  rmse: 0.5,
  spread: { scores: 0.7, mos: 0.9 },
  range: 4,
  teacherSrcc: 0.78,
  distilledSrcc: 0.77,
  calibration: { n: 50, rmse: 0.4 },
};
const codes = (facts: Partial<EvaluationFacts>) =>
  findFailureModes({ ...healthy, ...facts }).map((one) => one.code);

describe("failure signatures", () => {
  it("finds nothing in a healthy evaluation", () => {
    expect(codes({})).toEqual([]);
  });

  it.each<[string, Partial<EvaluationFacts>]>([
    ["nonlinear", { plcc: 0.69 }],
    ["belowTeacher", { teacherSrcc: 0.86 }],
    ["calibrationHurts", { distilledSrcc: 0.86 }],
    ["overfitCalibration", { calibration: { n: 50, rmse: 0.1 } }],
    ["collapsed", { spread: { scores: 0.2, mos: 0.9 } }],
    ["poorTransfer", { elsewhere: [{ dataset: "renders", n: 90, srcc: 0.3 }] }],
  ])("finds %s, and only it", (code, facts) => {
    expect(codes(facts)).toEqual([code]);
  });

  it.each<[string, Partial<EvaluationFacts>]>([
    ["ranks that are poor as well", { srcc: 0.5, plcc: 0.3, teacherSrcc: 0.5, distilledSrcc: 0.5 }],
    ["a distilled student, whose scale is nobody's", { student: "distill", plcc: 0.5, calibration: null }],
    [
      "a calibration error that is small beside the scale",
      { rmse: 0.15, calibration: { n: 50, rmse: 0.05 } },
    ],
    ["a handful of calibration images", { calibration: { n: 4, rmse: 0 } }],
    [
      "other data that does as well",
      {
        elsewhere: [
          { dataset: "b", n: 9, srcc: 0.75 },
          { dataset: "c", n: 9, srcc: null },
        ],
      },
    ],
    ["MOS that are all equal", { srcc: null, plcc: null, spread: { scores: 0, mos: 0 } }],
  ])("finds nothing in %s", (_name, facts) => {
    expect(codes(facts)).toEqual([]);
  });

  it("unknown facts point at nothing", () => {
    const nothing = { srcc: null, plcc: null, teacherSrcc: null, distilledSrcc: null, calibration: null };
    expect(codes(nothing)).toEqual([]);
  });

  it("a student that gets better in every way never gains a finding", () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(unit, unit, unit, unit, unit, unit, (srcc, plcc, teacher, better, spread, error) => {
        const facts = {
          ...healthy,
          srcc,
          plcc,
          teacherSrcc: teacher,
          rmse: 0.1 + error,
          spread: { scores: spread, mos: 1 },
        };
        const improved = {
          ...facts,
          srcc: srcc + (1 - srcc) * better,
          // At least as much as the ranks, so that the two do not part.
          plcc: Math.max(plcc, plcc + (1 - srcc) * better),
          rmse: facts.rmse * (1 - better),
          spread: { scores: spread + (1 - spread) * better, mos: 1 },
        };
        const before = new Set(findFailureModes(facts).map((one) => one.code));
        // Good ranks are what makes a bad line remarkable.
        for (const { code } of findFailureModes(improved))
          if (code !== "nonlinear") expect(before).toContain(code);
      }),
    );
  });

  it("every finding has its figures and an imperative", () => {
    const all = findFailureModes({
      ...healthy,
      plcc: 0.5,
      teacherSrcc: 0.9,
      distilledSrcc: 0.9,
      calibration: { n: 50, rmse: 0.1 },
      spread: { scores: 0.1, mos: 1 },
      elsewhere: [{ dataset: "renders", n: 90, srcc: 0.3 }],
    });
    expect(all).toHaveLength(6);
    for (const { message, remedy } of all) {
      expect(message).toMatch(/\d\.\d\d.*\.$/);
      expect(remedy).toMatch(/^(Raise|Lower|Rate|Add) .*\.$/);
    }
    for (const { message, remedy, words } of all) {
      expect([inEnglish(words!.message), inEnglish(words!.remedy)]).toEqual([message, remedy]);
      expect(untranslated(render(words!.message, pseudo), /renders/g)).toEqual([]);
      expect(untranslated(render(words!.remedy, pseudo))).toEqual([]);
    }
  });
});
