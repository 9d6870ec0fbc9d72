/** One row of the result: means over the seeds, and each seed's own figures. */
export interface Row {
  name: string;
  srcc: number;
  /** Pearson correlation after the 4-parameter logistic fit that the field uses. */
  plcc: number;
  /** Pearson correlation of the raw scores. */
  plccRaw: number;
  n: number;
  seeds: SeedFigures[];
}

/** What one seed gave. */
export interface SeedFigures {
  seed: number;
  srcc: number;
  plcc: number;
  plccRaw: number;
}

/** Averages over seeds. */
export function toRow(name: string, n: number, seeds: SeedFigures[]): Row {
  const mean = (key: "srcc" | "plcc" | "plccRaw") =>
    seeds.reduce((sum, one) => sum + one[key], 0) / seeds.length;
  return { name, srcc: mean("srcc"), plcc: mean("plcc"), plccRaw: mean("plccRaw"), n, seeds };
}

/** The table for people: mean, and the range where there is more than one seed. */
export function tableText(rows: Row[]): string {
  const cell = (mean: number, values: number[]) =>
    values.length > 1
      ? `${figure(mean)} (${figure(Math.min(...values))}–${figure(Math.max(...values))})`
      : figure(mean);
  const cells = rows.map((row) => [
    row.name,
    cell(
      row.srcc,
      row.seeds.map((one) => one.srcc),
    ),
    cell(
      row.plcc,
      row.seeds.map((one) => one.plcc),
    ),
    `${row.n}`,
  ]);
  return columns([["", "SRCC", "PLCC*", "n"], ...cells]);
}

/** Aligned columns of text. */
export function columns(rows: string[][]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Three decimals without the leading zero, as tables of correlations have it. */
export function figure(value: number): string {
  return value.toFixed(3).replace(/^(-?)0\./, "$1.");
}
