import { isTree, merged, nested, type Tree } from "./overrides.ts";
import type { EvaluatedStage, Experiment } from "./schema.ts";

/** One row of the table: the base config with other values. */
export interface Cell {
  name: string;
  /** Name of its arm; null where only a matrix is given. */
  arm: string | null;
  /** Matrix key to the place of its value in the list. */
  matrix: Record<string, number>;
  /** Nested, as they are merged into the base. */
  overrides: Tree;
  stage: EvaluatedStage;
  /** Name of the row it is compared with; null for the baseline itself, or where there is none. */
  baseline: string | null;
}

/** All arms times all combinations of the matrix, in the order they are written. Throws RangeError for a `compare` that names no row. */
export function expand(experiment: Experiment): Cell[] {
  const { arms, matrix = {}, stage, compare } = experiment;
  const named: [string | null, NonNullable<Experiment["arms"]>[string]][] = Object.entries(arms ?? {});
  if (named.length === 0) named.push([null, {}]);
  const labels = shortNames(Object.keys(matrix));
  const cells = named.flatMap(([arm, overrides]) => {
    const { stage: own = stage, ...values } = overrides ?? {};
    return combinations(matrix).map((at): Omit<Cell, "baseline"> => {
      const parts = Object.entries(at).map(([key, i]) => `${labels.get(key)} ${brief(matrix[key]![i])}`);
      return {
        name: [...(arm === null ? [] : [arm]), ...parts].join(", ") || "base",
        arm,
        matrix: at,
        overrides: Object.entries(at).reduce(
          (all, [key, i]) => merged(all, nested({ [key]: matrix[key]![i] })),
          nested(values),
        ) as Tree,
        stage: own,
      };
    });
  });
  return cells.map((cell) => {
    const baseline = compare === undefined ? undefined : baselineOf(cell, cells, compare);
    return { ...cell, baseline: baseline === undefined || baseline === cell ? null : baseline.name };
  });
}

/** A row of that name, or of that arm with the same values of the matrix. */
function baselineOf<T extends Pick<Cell, "name" | "arm" | "matrix">>(
  cell: T,
  cells: T[],
  compare: string,
): T {
  const same = (other: T) =>
    other.arm === compare && Object.entries(cell.matrix).every(([key, i]) => other.matrix[key] === i);
  const found = cells.find(({ name }) => name === compare) ?? cells.find(same);
  if (!found) throw new RangeError(compare);
  return found;
}

/** The config of a row under one seed, before leaf.yaml's schema has read it. */
export function configValue(base: unknown, cell: Cell, seed: number, resplit: boolean): unknown {
  const seeded = { distill: { seed }, calibrate: { seed }, ...(resplit ? { split: { seed } } : {}) };
  return merged(merged(base, cell.overrides), seeded);
}

/** Keys that the seeds set; an arm that sets one itself would be overruled. */
export function seedKeys(resplit: boolean): string[] {
  return ["distill.seed", "calibrate.seed", ...(resplit ? ["split.seed"] : [])];
}

export function setsKey(overrides: Tree, key: string): boolean {
  let here: unknown = overrides;
  for (const part of key.split(".")) {
    if (!isTree(here) || !Object.hasOwn(here, part)) return false;
    here = here[part];
  }
  return true;
}

/** One combination after another, the last key's values running fastest; one empty combination for no matrix. */
function combinations(matrix: Record<string, unknown[]>): Record<string, number>[] {
  return Object.entries(matrix).reduce<Record<string, number>[]>(
    (all, [key, values]) => all.flatMap((one) => values.map((_, i) => ({ ...one, [key]: i }))),
    [{}],
  );
}

/** The last word of each key, or the whole key where two end the same. */
function shortNames(keys: string[]): Map<string, string> {
  const last = (key: string) => key.split(".").at(-1)!;
  const ends = keys.map(last);
  return new Map(
    keys.map((key) => [key, ends.filter((end) => end === last(key)).length > 1 ? key : last(key)]),
  );
}

/** A value as it names a row. */
function brief(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(brief).join(", ")}]`;
  if (isTree(value))
    return Object.entries(value)
      .map(([key, inner]) => `${key} ${brief(inner)}`)
      .join(" ");
  return String(value);
}
