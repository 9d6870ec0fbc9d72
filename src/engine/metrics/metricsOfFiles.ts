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

/** Columns that may hold the score, in order of preference. */
const scoreColumns = ["score", "mos", "prediction", "pred"];

/**
 * The metrics of any two tables with a column `image`. Images in both files count; throws LeafError `input` where a
 * file, a column or every common image is missing.
 */
export async function metricsOfFiles(
  predictions: string,
  truth: string,
  bootstrap: number,
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
    { bootstrap, seed: 0 },
  );
  return { ...metrics, unmatched: predicted.size + human.size - 2 * names.length };
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
