import type { ExperimentResult } from "../../protocol/experiments.ts";
import { escapeLatex, escapeMarkdown, markdownTable } from "../../words/escape.ts";
import { toCsv } from "../tables/csvText.ts";
import { type Row, type Table, tableOf } from "./table.ts";

export const formats = ["text", "csv", "markdown", "latex", "json"] as const;
export type Format = (typeof formats)[number];

/** A result as a document of the given format, without a line break at the end. */
export function formatted(result: ExperimentResult, format: Format): string {
  switch (format) {
    case "csv":
      return csvTable(result).trimEnd();
    case "json":
      return JSON.stringify(result, null, 2);
    default:
      return tableAs(tableOf(result), format);
  }
}

/** A table as text of a format. */
export function tableAs(table: Table, format: "text" | "markdown" | "latex" | "csv"): string {
  switch (format) {
    case "text":
      return textTable(table);
    case "markdown":
      return markdownDocument(table);
    case "latex":
      return latexTable(table);
    case "csv":
      return toCsv(
        table.header,
        table.rows.map(({ cells }) => cells),
      ).trimEnd();
  }
}

function textTable({ header, rows, notes }: Table): string {
  const all = [header, ...rows.map(({ cells }) => cells)];
  const widths = header.map((_, i) => Math.max(...all.map((cells) => [...(cells[i] ?? "")].length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => cell + " ".repeat(widths[i]! - [...cell].length))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  const body = separated(rows, rule, ({ cells }) => line(cells));
  return [line(header), rule, ...body, ...(notes.length > 0 ? ["", ...notes] : [])].join("\n");
}

function markdownDocument({ header, rows, notes }: Table): string {
  const line = (cells: string[]) => cells.map(escapeMarkdown);
  const align = header.map((_, i) => (i === 0 ? "---" : "---:"));
  const table = markdownTable(
    line(header),
    rows.map(({ cells }) => line(cells)),
    align,
  );
  return [table, ...notes.flatMap((note) => ["", escapeMarkdown(note)])].join("\n");
}

/** A `tabular` of the booktabs package, notes as comments above. */
function latexTable({ header, rows, notes }: Table): string {
  const line = (cells: string[]) => `${cells.map(escapeLatex).join(" & ")} \\\\`;
  return [
    "% \\usepackage{booktabs}",
    ...notes.map((note) => `% ${note.replace(/[\r\n]+/g, " ")}`),
    `\\begin{tabular}{l${"r".repeat(header.length - 1)}}`,
    "\\toprule",
    line(header),
    "\\midrule",
    ...separated(rows, "\\midrule", ({ cells }) => line(cells)),
    "\\bottomrule",
    "\\end{tabular}",
  ].join("\n");
}

/** A line for each arm, figures at full precision. */
function csvTable({ arms, report, summary }: ExperimentResult): string {
  const quarters = summary === "median";
  const of = report.flatMap((metric) => [
    metric,
    `${metric}Sd`,
    ...(quarters ? [`${metric}Q1`, `${metric}Median`, `${metric}Q3`] : []),
    `${metric}Difference`,
    `${metric}Low`,
    `${metric}High`,
    `${metric}P`,
  ]);
  const rows = arms.map(({ name, ratings, trials, means, quartiles, versus }) => [
    name,
    ratings,
    trials.filter(({ state }) => state === "done").length,
    trials.length,
    trials.find(({ metrics }) => metrics)?.metrics?.n ?? null,
    ...report.flatMap((metric) => {
      const test = versus?.tests[metric];
      const mean = means[metric];
      return [
        mean?.mean ?? null,
        mean?.sd ?? null,
        ...(quarters ? (quartiles?.[metric] ?? [null, null, null]) : []),
        test?.difference ?? null,
        test?.interval[0] ?? null,
        test?.interval[1] ?? null,
        test?.pHolm ?? null,
      ];
    }),
    versus?.baseline ?? null,
  ]);
  return toCsv(["arm", "mos", "seedsDone", "seeds", "images", ...of, "baseline"], rows);
}

/** Rows as text with a rule where the group changes. */
function separated(rows: Row[], rule: string, text: (row: Row) => string): string[] {
  return rows.flatMap((row, i) => {
    const before = rows[i - 1];
    return before && before.group !== row.group ? [rule, text(row)] : [text(row)];
  });
}
