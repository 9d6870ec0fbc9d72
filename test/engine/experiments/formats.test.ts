import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatted } from "../../../src/engine/experiments/formats.ts";
import { meanOf, quartilesOf } from "../../../src/engine/experiments/result.ts";
import type { ArmResult, ExperimentResult, TrialResult } from "../../../src/protocol/experiments.ts";
import { escapeLatex, escapeMarkdown } from "../../../src/words/escape.ts";
import { say } from "../../../src/words/text.ts";

function trial(seed: number, srcc: number | null, rest: Partial<TrialResult> = {}): TrialResult {
  const metrics = {
    n: 60,
    srcc,
    plcc: srcc,
    plccLogistic: srcc,
    krcc: srcc,
    rmse: 0.5,
    ci95: { srcc: null, plcc: null },
  };
  return {
    seed,
    state: "done",
    reason: null,
    run: `r${seed}`,
    evaluated: "calibrate",
    key: `k${seed}`,
    ratings: 50,
    metrics,
    ...rest,
  };
}

function arm(name: string, trials: TrialResult[], versus: ArmResult["versus"] = null): ArmResult {
  const means = Object.fromEntries(
    (["srcc", "plcc", "plccLogistic", "krcc", "rmse"] as const).map((metric) => [
      metric,
      meanOf(trials, metric),
    ]),
  ) as ArmResult["means"];
  return { name, settings: {}, stage: "calibrate", trials, ratings: 50, means, versus };
}

const failed = { state: "failed", reason: say`no ${"memory"}`, metrics: null, key: null, run: null } as const;

function result(arms: ArmResult[], rest: Partial<ExperimentResult> = {}): ExperimentResult {
  return {
    v: 1,
    name: "x",
    file: "x.experiment.yaml",
    base: "leaf.yaml",
    key: "k",
    updated: "2030-01-01T00:00:00Z",
    stage: "calibrate",
    seeds: [0, 1],
    resplit: false,
    report: ["srcc", "rmse"],
    compare: "joint",
    bootstrap: 2000,
    done: 3,
    failed: 1,
    total: 4,
    arms,
    paper: null,
    ...rest,
  };
}

const test1 = { difference: -0.1234, interval: [-0.2, 0.01] as [number, number], p: 0.01, pHolm: 0.02 };
const sample = result(
  [
    arm("joint", [trial(0, 0.7), trial(1, 0.8)]),
    arm("point | 5 %", [trial(0, 0.6), trial(1, null, failed)], {
      baseline: "joint",
      tests: { srcc: test1, rmse: { ...test1, pHolm: 0.0001 } },
    }),
  ],
  { paper: { dataset: "SPAQ", rows: [{ name: "LEAF paper, no MOS", srcc: 0.861, plcc: 0.867 }] } },
);

test("a row without ratings whose least confidence was fitted on MOS is not called free of them; groups are told", () => {
  const label = { ...arm("TGD", [trial(0, 0.6, { ratings: 0 })]), ratings: 0 };
  const of = (one: ArmResult) => formatted(result([one]), "text");
  expect(of(label)).not.toContain("†");
  const fitted = of({ ...label, fitsConfidence: true });
  expect(fitted).toMatch(/TGD +0† /);
  expect(fitted).toContain("† Not free of human scores: label.minConfidence: auto");
  // One that is calibrated has a number of its own in that column.
  expect(of({ ...label, ratings: 50, fitsConfidence: true })).not.toContain("†");
  const versus = { baseline: "joint", tests: { srcc: test1 } };
  const grouped = (groups?: number) => {
    const one = trial(0, 0.6);
    return formatted(result([arm("x", [{ ...one, metrics: { ...one.metrics!, groups } }], versus)]), "text");
  };
  expect(grouped(7)).toContain("paired bootstrap over groups of images");
  expect(grouped()).toContain("paired bootstrap over images");
});

test("with `summary: median` the median and the quartiles stand in the table", () => {
  // numpy.percentile([.5, .6, .9, .7, .62], [25, 50, 75])
  const trials = [0.5, 0.6, 0.9, 0.7, 0.62].map((value, seed) => trial(seed, value));
  const quartiles = quartilesOf(trials, "srcc")!;
  for (const [i, value] of [0.6, 0.62, 0.7].entries()) expect(quartiles[i]).toBeCloseTo(value, 12);
  expect(quartilesOf([trial(0, null)], "srcc")).toBeNull();
  expect(quartilesOf([], "srcc")).toBeNull();
  const all = Object.fromEntries(
    (["srcc", "plcc", "plccLogistic", "krcc", "rmse"] as const).map((metric) => [
      metric,
      quartilesOf(trials, metric),
    ]),
  ) as ArmResult["quartiles"];
  const one = result([{ ...arm("TGD", trials), quartiles: all }], {
    summary: "median",
    resplit: true,
    seeds: [0, 1, 2, 3, 4],
  });
  for (const format of ["text", "markdown", "latex"] as const) {
    expect(formatted(one, format)).toContain("0.620 ");
    expect(formatted(one, format)).toContain("over 5 splits");
  }
  expect(formatted(one, "text")).toContain("0.620 [0.600, 0.700]");
});

test("the table of another target says whose figures it shows", () => {
  const of = (rest: Partial<ExperimentResult>) =>
    formatted(result([arm("x", [trial(0, 0.6)])], { compare: null, ...rest }), "text");
  expect(of({ target: "noise" })).toContain("Figures of the target “noise”.");
  expect(of({})).not.toContain("target");
});

test("means over seeds: sample deviation; equal evaluations count once; an undefined figure has no mean", () => {
  // numpy.std([.7, .8, .75], ddof=1)
  const three = meanOf([trial(0, 0.7), trial(1, 0.8), trial(2, 0.75)], "srcc")!;
  expect(three.mean).toBeCloseTo(0.75, 12);
  expect(three.sd).toBeCloseTo(0.05, 12);
  expect(meanOf([trial(0, 0.7, { key: "same" }), trial(1, 0.7, { key: "same" })], "srcc")).toEqual({
    mean: 0.7,
    sd: null,
    n: 1,
  });
  expect(meanOf([trial(0, 0.7), trial(1, null)], "srcc")).toBeNull();
  expect(meanOf([trial(0, 0.5), trial(1, null, failed)], "srcc")).toEqual({ mean: 0.5, sd: null, n: 1 });
});

test("text", () => {
  expect(formatted(sample, "text").split("\n")).toEqual([
    "arm                 MOS  seeds   SRCC           RMSE           Δ SRCC [95 %]            p",
    "──────────────────  ───  ──────  ─────────────  ─────────────  ───────────────────────  ─────",
    "joint               50   2       0.750 ± 0.071  0.500 ± 0.000",
    "point | 5 %         50   1 of 2  0.600*         0.500*         −0.123 [−0.200, +0.010]  0.020",
    "──────────────────  ───  ──────  ─────────────  ─────────────  ───────────────────────  ─────",
    "LEAF paper, no MOS               0.861          –",
    "",
    "Mean ± standard deviation over 2 seeds, on 60 held-out images.",
    "Δ, its 95 % interval and p against “joint”: paired bootstrap over images (2000 resamples), two-sided, Holm-corrected; * p < 0.05.",
    "Failed: point | 5 %, seed 1: no memory",
    "Published figures on SPAQ: arXiv 2601.20689.",
  ]);
});

test("Markdown and LaTeX", () => {
  expect(formatted(sample, "markdown").split("\n").slice(0, 5)).toEqual([
    "| arm | MOS | seeds | SRCC | RMSE | Δ SRCC \\[95 %\\] | p |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    "| joint | 50 | 2 | 0.750 ± 0.071 | 0.500 ± 0.000 |  |  |",
    "| point \\| 5 % | 50 | 1 of 2 | 0.600\\* | 0.500\\* | −0.123 \\[−0.200, \\+0.010\\] | 0.020 |",
    "| LEAF paper, no MOS |  |  | 0.861 | – |  |  |",
  ]);
  expect(formatted(sample, "latex").split("\n").slice(5)).toEqual([
    "\\begin{tabular}{lrrrrrr}",
    "\\toprule",
    "arm & MOS & seeds & SRCC & RMSE & $\\Delta$ SRCC {[}95 \\%{]} & p \\\\",
    "\\midrule",
    "joint & 50 & 2 & 0.750 $\\pm$ 0.071 & 0.500 $\\pm$ 0.000 &  &  \\\\",
    "point \\textbar{} 5 \\% & 50 & 1 of 2 & 0.600$^{*}$ & 0.500$^{*}$ & $-$0.123 {[}$-$0.200, +0.010{]} & 0.020 \\\\",
    "\\midrule",
    "LEAF paper, no MOS &  &  & 0.861 & -- &  &  \\\\",
    "\\bottomrule",
    "\\end{tabular}",
  ]);
});

test("CSV has full precision and every test", () => {
  const rows = parse(formatted(sample, "csv"), { columns: true }) as Record<string, string>[];
  expect(rows.map(({ arm }) => arm)).toEqual(["joint", "point | 5 %"]);
  expect(Number(rows[0]!.srccSd)).toBeCloseTo(Math.SQRT1_2 / 10, 12);
  expect(rows[1]).toMatchObject({
    seedsDone: "1",
    seeds: "2",
    srccDifference: "-0.1234",
    srccP: "0.02",
    rmseP: "0.0001",
    baseline: "joint",
  });
});

test("JSON is the result", () => {
  expect(JSON.parse(formatted(sample, "json"))).toEqual(sample);
});

/** The characters that a reader of the format would take for its own, outside of what escapes them. */
test("no arm's name breaks out of its cell", () => {
  const name = fc.string({ unit: "grapheme", maxLength: 30 });
  const nasty = fc.string({ unit: fc.constantFrom(...'\\|&%$#_{}~^<>*`[]()!\n\r"x'), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(name, nasty), (text) => {
      const markdown = escapeMarkdown(text);
      expect(markdown.replace(/\\[\s\S]/g, "")).not.toMatch(/[\\`*_{}[\]<>()#!|~&\r\n]/);
      // Taking the escapes off gives the text again.
      expect(markdown.replace(/\\([\s\S])/g, "$1")).toBe(
        text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim(),
      );
      const latex = escapeLatex(text);
      expect(
        latex.replace(/\\[a-z]+\{\}|\\[{}$&#%_]|\$\^\{\*\}\$|\{[[\]]\}|\$(\\pm|-|\\Delta)\$/g, ""),
      ).not.toMatch(/[\\{}$&#%_~^<>|"\r\n*]/);
      const lines = formatted(result([arm(text || "x", [trial(0, 0.5)])], { compare: null }), "latex").split(
        "\n",
      );
      expect(lines.filter((line) => line.endsWith("\\\\"))).toHaveLength(2);
    }),
    { numRuns: 300 },
  );
});

test("says that the embedded teacher's pairs teach nothing new, where the parts of the loss are compared", () => {
  const note = /preferences all but follow from its scores/;
  const parts = { ...arm("point only", [trial(0, 0.5)]), settings: { "distill.loss.pair": "0" } };
  const other = { ...arm("short", [trial(0, 0.5)]), settings: { "distill.epochs": "2" } };
  const written = (arms: ArmResult[], teachers?: string[]) =>
    formatted(result(arms, teachers ? { teachers } : {}), "markdown");
  expect(written([parts, other], ["embedded"])).toMatch(note);
  expect(written([parts, other], ["openai"])).not.toMatch(note);
  expect(written([parts, other])).not.toMatch(note);
  expect(written([other], ["embedded"])).not.toMatch(note);
});

test("a table over random splits has medians and quartiles at full precision", () => {
  const trials = [0.6, 0.7, 0.8, 0.9].map((srcc, seed) => trial(seed, srcc));
  const quartiles = { srcc: quartilesOf(trials, "srcc") } as unknown as ArmResult["quartiles"];
  const text = formatted(
    result([{ ...arm("TGD", trials), quartiles }], { report: ["srcc"], summary: "median" }),
    "csv",
  );
  const [row] = parse(text, { columns: true }) as [Record<string, string>];
  // By hand, as NumPy interpolates: 0.6 + 0.75 · 0.1 and 0.8 + 0.25 · 0.1.
  expect(Number(row.srccQ1)).toBeCloseTo(0.675, 12);
  expect(Number(row.srccMedian)).toBeCloseTo(0.75, 12);
  expect(Number(row.srccQ3)).toBeCloseTo(0.825, 12);
  expect(Number(row.srcc)).toBeCloseTo(0.75, 12);
});
