import type { ArmResult, ArmTest, ExperimentResult, ReportedMetric } from "../../protocol/experiments.ts";
import { medianText, notFree } from "../../words/experiment.ts";
import { figure, interval, none, pValue, signed } from "../../words/figure.ts";
import { inEnglish } from "../../words/text.ts";

/** An experiment as rows of text; how they are laid out is the format's matter. */
export interface Table {
  header: string[];
  rows: Row[];
  /** Sentences below. */
  notes: string[];
}

export interface Row {
  cells: string[];
  /** Published figures stand apart. */
  group: "arm" | "paper";
}

export const metricNames: Record<ReportedMetric, string> = {
  srcc: "SRCC",
  plcc: "PLCC",
  plccLogistic: "PLCC (fitted)",
  krcc: "KRCC",
  rmse: "RMSE",
};

/** Below this, after correction, a difference is marked. */
const level = 0.05;

/** The table of a result: mean ± standard deviation over seeds, a star for a significant difference, and that of the first measure. */
export function tableOf(result: ExperimentResult): Table {
  const { report, arms, paper } = result;
  const [first] = report;
  const compared = arms.some(({ versus }) => versus !== null) && first !== "plccLogistic";
  const header = ["arm", "MOS", "seeds", ...report.map((metric) => metricNames[metric])];
  if (compared) header.push(`Δ ${metricNames[first!]} [95 %]`, "p");
  const rows = arms.map((arm): Row => {
    const tests = arm.versus?.tests ?? {};
    const figures = report.map((metric) => meanText(arm, metric) + star(tests[metric]));
    const difference = compared ? differenceText(arm, first!) : [];
    return { group: "arm", cells: [arm.name, ratingsText(arm), seedsText(arm), ...figures, ...difference] };
  });
  for (const { name, srcc, plcc } of paper?.rows ?? []) {
    const published: Partial<Record<ReportedMetric, number>> = { srcc, plcc };
    const figures = report.map((metric) => figure(published[metric]));
    rows.push({
      group: "paper",
      cells: [name, "", "", ...figures, ...(compared ? ["", ""] : [])],
    });
  }
  return { header, rows, notes: notesOf(result, compared) };
}

function meanText({ means, quartiles, trials }: ArmResult, metric: ReportedMetric): string {
  const found = means[metric];
  if (!found) return trials.every(({ state }) => state === "failed") ? "failed" : none;
  if (quartiles) return medianText(quartiles[metric]);
  return found.sd === null ? figure(found.mean) : `${figure(found.mean)} ± ${figure(found.sd)}`;
}

function star(test: ArmTest | null | undefined): string {
  return test && test.pHolm < level ? "*" : "";
}

function ratingsText({ ratings, fitsConfidence }: ArmResult): string {
  if (ratings === null) return none;
  return notFree({ ratings, fitsConfidence }) ? `${ratings}†` : String(ratings);
}

/** "3", or "2 of 3" while some are missing or failed. */
function seedsText({ trials }: ArmResult): string {
  const done = trials.filter(({ state }) => state === "done").length;
  return done === trials.length ? String(done) : `${done} of ${trials.length}`;
}

function differenceText({ versus }: ArmResult, metric: ReportedMetric): string[] {
  if (!versus) return ["", ""];
  const test = versus.tests[metric];
  if (!test) return [none, none];
  return [`${signed(test.difference)} ${interval(test.interval, 3, signed)}`, pValue(test.pHolm)];
}

function notesOf(result: ExperimentResult, compared: boolean): string[] {
  const { arms, seeds, compare, bootstrap, done, failed, total, paper, teachers = [] } = result;
  const n = arms.flatMap(({ trials }) => trials.flatMap(({ metrics }) => (metrics ? [metrics.n] : [])));
  const grouped = arms.some(({ trials }) => trials.some(({ metrics }) => metrics?.groups !== undefined));
  const images = [...new Set(n)].sort((a, b) => a - b).join(" to ");
  const notes: string[] = [];
  const spread =
    seeds.length > 1
      ? `${result.summary === "median" ? "median [quartiles]" : "mean ± standard deviation"} over ${seeds.length} ${result.resplit ? "splits" : "seeds"}`
      : `seed ${seeds[0]}`;
  if (result.target !== undefined) notes.push(`Figures of the target “${result.target}”.`);
  if (images) notes.push(`${capital(spread)}, on ${images} held-out images.`);
  if (arms.some(notFree))
    notes.push(
      "† Not free of human scores: label.minConfidence: auto fits one number on the MOS of the calibration images.",
    );
  if (compared) {
    notes.push(
      `Δ, its 95 % interval and p against “${compare}”: paired bootstrap over ${grouped ? "groups of images" : "images"} (${bootstrap} resamples), two-sided, Holm-corrected; * p < ${level}.`,
    );
  }
  if (done + failed < total) notes.push(`${done} of ${total} trainings are done.`);
  for (const { name, trials } of arms) {
    const reasons = Map.groupBy(
      trials.filter(({ state }) => state === "failed"),
      ({ reason }) => inEnglish(reason ?? ""),
    );
    for (const [reason, failed] of reasons) {
      const seeds = failed.map(({ seed }) => seed).join(", ");
      notes.push(`Failed: ${name}, seed ${seeds}: ${reason}`);
    }
  }
  const components = arms.some(({ settings }) =>
    Object.keys(settings).some((key) => /^distill\.loss\.(point|pair|confidence)$/.test(key)),
  );
  if (components && teachers.includes("embedded"))
    notes.push(
      "The embedded teacher's preferences all but follow from its scores of the two images: what pairs and confidence add is not to be seen with it.",
    );
  if (paper) notes.push(`Published figures on ${paper.dataset}: arXiv 2601.20689.`);
  return notes;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
