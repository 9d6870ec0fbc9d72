import type { Change, RunSummary } from "../../src/protocol/project.ts";

export const measures = ["srcc", "plcc", "plccLogistic", "krcc", "rmse"] as const;
export type Measure = (typeof measures)[number];

export type SortKey = "created" | "id" | "ratings" | "agreement" | "seconds" | Measure;
export interface Sort {
  key: SortKey;
  descending: boolean;
}

export const figureOf = (run: RunSummary, measure: Measure): number | null =>
  run.evaluation?.[measure] ?? null;

export const lowerIsBetter = (measure: Measure): boolean => measure === "rmse";

/** Runs in the order of one column; those without a value come last, whichever way it is sorted. */
export function sortRuns(runs: readonly RunSummary[], { key, descending }: Sort): RunSummary[] {
  const value = (run: RunSummary): number | string | null => {
    switch (key) {
      case "created":
        return run.created;
      case "id":
        return run.id;
      case "ratings":
      case "seconds":
        return run[key];
      case "agreement":
        return run.agreement?.srcc ?? null;
      default:
        return figureOf(run, key);
    }
  };
  const sign = descending ? -1 : 1;
  return [...runs].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    if (typeof a === "string") return sign * a.localeCompare(String(b), "en", { numeric: true });
    return sign * (a - Number(b));
  });
}

/** What a run is compared with, in its settings and in its figures: a chosen run, else the one before it of the same config. */
export function baselineOf(
  run: RunSummary,
  runs: readonly RunSummary[],
  chosen: string | undefined,
): RunSummary | undefined {
  const other = chosen ?? run.previous;
  return other === run.id ? undefined : runs.find(({ id }) => id === other);
}

/** The settings in which a run differs from what it is compared with. */
export function changesOf(run: RunSummary, baseline: RunSummary | undefined): Change[] {
  if (!baseline) return [];
  if (baseline.id === run.previous) return run.changes;
  return differences([baseline, run]).map(({ setting, values }) => {
    const [before, after] = values.map(settingOf);
    return { key: setting, before, after };
  });
}

/** A setting as the config has it, of its text. */
function settingOf(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

/** URIs of the configs that runs are of, in the order of their names. */
export function configsOf(runs: readonly RunSummary[]): string[] {
  return [...new Set(runs.map(({ config }) => config))].sort((a, b) =>
    configName(a).localeCompare(configName(b)),
  );
}

export function configName(uri: string): string {
  return decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1));
}

export interface Delta {
  difference: number;
  better: boolean;
  /** The other run lies inside this one's 95 % interval: the difference may be chance. */
  mayBeChance: boolean;
}

/** null where either has no value, or they were measured on different splits or other images. */
export function deltaOf(run: RunSummary, baseline: RunSummary | undefined, measure: Measure): Delta | null {
  const [value, other] = [figureOf(run, measure), baseline ? figureOf(baseline, measure) : null];
  if (value === null || other === null) return null;
  const [one, two] = [run.evaluation!, baseline!.evaluation!];
  if (one.split !== two.split || one.n !== two.n) return null;
  const difference = value - other;
  // Figures without an interval of their own are judged by that of their kin: ranks by SRCC, values by PLCC.
  const kin = measure === "srcc" || measure === "krcc" ? "srcc" : "plcc";
  const [ci, beside] = [one.ci95[kin], two[kin]];
  return {
    difference,
    better: lowerIsBetter(measure) ? difference < 0 : difference > 0,
    mayBeChance: ci === null || beside === null || (beside >= ci[0] && beside <= ci[1]),
  };
}

/** Settings that are not the same in all of the runs, by name; a setting that a run lacks is null. */
export function differences(runs: readonly RunSummary[]): { setting: string; values: (string | null)[] }[] {
  const names = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))].sort();
  return names
    .map((setting) => ({ setting, values: runs.map(({ settings }) => settings[setting] ?? null) }))
    .filter(({ values }) => new Set(values).size > 1);
}
