import { existsSync } from "node:fs";
import path from "node:path";
import type { Metrics } from "../../protocol/results.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { quotedCell } from "../tables/cellText.ts";
import { plainCell } from "../tables/formulaCells.ts";
import { parseNumber } from "../tables/number.ts";
import { openTable } from "../tables/table.ts";
import { evaluateMetrics } from "./agreement.ts";
import { groupsOf } from "./groups.ts";

/** Columns that may hold the score, in order of preference. */
const scoreColumns = ["score", "mos", "prediction", "pred"];

/** What images are drawn together for the intervals: a column of one of the tables, or a function of their names. */
export type GroupBy = { column: string } | ((names: string[]) => (string | undefined)[]);

/**
 * The metrics of any two tables with a column `image`. Images in both files count; throws LeafError `input` where a
 * file, a column or every common image is missing.
 */
export async function metricsOfFiles(
  predictions: string,
  truth: string,
  bootstrap: number,
  groupBy?: GroupBy,
): Promise<Metrics & { unmatched: number }> {
  const predicted = await readScores(predictions, scoreColumns);
  const human = await readScores(truth, ["mos", ...scoreColumns]);
  const names = [...predicted.keys()].filter((name) => human.has(name)).sort();
  if (names.length === 0) {
    throw new LeafError("input", say`${predictions} and ${truth} have no image in common.`, {
      remedy: say`Both need a column \`image\` with the same names.`,
    });
  }
  const metrics = evaluateMetrics(
    Float64Array.from(names, (n) => predicted.get(n)!),
    Float64Array.from(names, (n) => human.get(n)!),
    {
      bootstrap,
      seed: 0,
      groups: groupBy && groupsOf(await groupNames(names, groupBy, [truth, predictions])),
    },
  );
  return { ...metrics, unmatched: predicted.size + human.size - 2 * names.length };
}

async function groupNames(
  names: string[],
  groupBy: GroupBy,
  files: string[],
): Promise<(string | undefined)[]> {
  if (typeof groupBy === "function") return groupBy(names);
  const { column } = groupBy;
  for (const file of files) {
    const { columns, batches } = await openTable(file);
    if (!columns.includes(column) || !columns.includes("image")) continue;
    const groups = new Map<string, string>();
    for await (const batch of batches([columns.indexOf("image"), columns.indexOf(column)]))
      for (const { cells } of batch) {
        const [name, group] = cells as [string, string];
        groups.set(plainCell(name), plainCell(group));
      }
    return names.map((name) => groups.get(name));
  }
  throw new LeafError("input", say`Neither ${files[0]!} nor ${files[1]!} has a column ${column}.`);
}

async function readScores(file: string, wanted: string[]): Promise<Map<string, number>> {
  if (!existsSync(file))
    throw new LeafError("input", say`${file} does not exist.`, { file, remedy: say`Check the path.` });
  const table = await openTable(file, { prefer: (columns) => columns.includes("image") });
  const { columns, headerLine } = table;
  const column = wanted.find((name) => columns.includes(name));
  const base = path.basename(file);
  if (column === undefined || !columns.includes("image")) {
    const want = columns.includes("image") ? wanted.map((c) => `\`${c}\``).join(" or ") : "`image`";
    throw new LeafError(
      "input",
      say`${base}:${headerLine}: no column ${want}; there are ${columns.join(", ")}.`,
      { file, line: headerLine },
    );
  }
  const scores = new Map<string, number>();
  for await (const batch of table.batches([columns.indexOf("image"), columns.indexOf(column)]))
    for (const { line, cells, fault } of batch) {
      const [name, text] = cells as [string, string];
      const value = parseNumber(text, table.decimalComma);
      if (fault !== undefined || value === undefined) {
        const why = fault ?? `${quotedCell(text)} is not a number.`;
        throw new LeafError("input", say`${base}:${line}: ${why}`, { file, line });
      }
      scores.set(plainCell(name), value);
    }
  return scores;
}
