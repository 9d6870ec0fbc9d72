import { expect, test } from "vitest";
import type { RunSummary } from "../../src/protocol/project.ts";
import { headline, runHeadline } from "../../src/words/headline.ts";
import { workTitle } from "../../src/words/titles.ts";
import { english as t } from "../../src/words/translate.ts";

const labels = {
  images: 4000,
  points: { labelled: 4000, reused: 0, failed: 0 },
  pairs: { labelled: 16_000, reused: 0, failed: 0, kept: 14_088, discarded: 1912 },
};
const evaluation = {
  srcc: 0.8614,
  plcc: 0.867,
  n: 1200,
  ci95: { srcc: [0.842, 0.8794], plcc: [0.85, 0.89] },
};

test("a stage's result is one line", () => {
  expect(headline(t, "label", labels)).toBe("4,000 images, 16,000 pairs (1,912 discarded)");
  const leaning = {
    ...labels,
    points: { ...labels.points, failed: 12 },
    positionBias: { first: 0.6, flipped: 0.127, pairs: 9 },
  };
  expect(headline(t, "label", leaning)).toBe(
    "4,000 images, 12 failed, 16,000 pairs (1,912 discarded, the order decides 12.7 %)",
  );
  const straight = { ...labels, positionBias: { first: 0.5, flipped: 0.009, pairs: 9 } };
  expect(headline(t, "label", straight)).not.toContain("order");
  expect(headline(t, "distill", { teacherAgreement: { srcc: 0.93, n: 1040 } })).toBe(
    "agrees with the teacher: SRCC 0.930, n = 1,040",
  );
  // A result of an older version, or damaged.
  expect(headline(t, "distill", {})).toBe("agrees with the teacher: SRCC –, n = 0");
  expect(headline(t, "calibrate", { images: 24, headOnly: true })).toBe("24 human scores, head only");
  const head = {
    networks: ["distilled"],
    penalty: 0.312,
    noise: 0.41,
    cv: { srcc: 0.7024, ci95: [0.6, 0.8] },
  };
  expect(headline(t, "calibrate", { images: 24, from: "distill", method: "closed-form", head })).toBe(
    "24 human scores, closed form on the distilled student's features, penalty 0.31, expected SRCC 0.702 [0.600, 0.800], a rating differs by ± 0.41 of five grades",
  );
  const compared = { folds: 5, closedForm: 0.7, fineTuned: 0.75 };
  expect(headline(t, "calibrate", { images: 24, from: "distill", method: "fine-tune", compared })).toBe(
    "24 human scores, on ratings left out SRCC 0.700 in closed form, 0.750 fine-tuned",
  );
  expect(headline(t, "calibrate", { images: 24, from: "backbone" })).toBe(
    "24 human scores, from the backbone alone",
  );
  expect(
    headline(t, "calibrate", { images: 24, from: "backbone", teacherCheck: { verdict: "chance" } }),
  ).toBe("24 human scores, from the backbone: the teacher is at chance on them");
  expect(headline(t, "evaluate", evaluation)).toBe("SRCC 0.861 [0.842, 0.879] · PLCC 0.867 · n = 1,200");
  expect(headline(t, "evaluate", { ...evaluation, srcc: null, ci95: { srcc: null, plcc: null } })).toBe(
    "SRCC – · PLCC 0.867 · n = 1,200",
  );
});

test("a run is told by its evaluation, its agreement with the teacher, or its state", () => {
  const run = {
    state: "done",
    evaluation,
    agreement: { srcc: 0.93, plcc: 0.9, n: 40 },
  } as unknown as RunSummary;
  expect(runHeadline(t, run)).toBe(headline(t, "evaluate", evaluation));
  expect(runHeadline(t, { ...run, evaluation: null })).toBe("agrees with the teacher: SRCC 0.930, n = 40");
  expect(runHeadline(t, { ...run, state: "failed" })).toBe("failed");
  expect(runHeadline(t, { ...run, state: "running" })).toBe("running");
  const bare = { ...run, evaluation: null, agreement: null };
  expect([runHeadline(t, { ...bare, state: "cancelled" }), runHeadline(t, bare)]).toEqual(["cancelled", ""]);
});

test("work has the name of its command", async () => {
  const { default: names } = await import("../../package.nls.json", { with: { type: "json" } });
  for (const work of ["label", "distill", "calibrate", "evaluate", "run", "env"] as const)
    expect(Object.values(names)).toContain(workTitle(t, work));
});
