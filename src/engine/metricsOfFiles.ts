import { createReadStream, existsSync } from "node:fs";
import path from "node:path";
import { parse } from "csv-parse";
import type { Metrics } from "../protocol/results.ts";
import { LeafError } from "./errors.ts";
import { evaluateMetrics } from "./metrics/index.ts";

/** Columns that may hold the score, in order of preference. */
const scoreColumns = ["score", "mos", "prediction", "pred"];

/**
 * The metrics of any two CSV files with a column `image`. Images in both files count; throws LeafError `input` where a
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
    throw new LeafError("input", `${predictions} and ${truth} have no image in common.`, {
      remedy: "Both need a column `image` with the same names.",
    });
  }
  const metrics = evaluateMetrics(
    Float64Array.from(names, (n) => predicted.get(n)!),
    Float64Array.from(names, (n) => human.get(n)!),
    { bootstrap, seed: 0 },
  );
  return { ...metrics, unmatched: predicted.size + human.size - 2 * names.length };
}

async function readScores(file: string, columns: string[]): Promise<Map<string, number>> {
  if (!existsSync(file))
    throw new LeafError("input", `${file} does not exist.`, { file, remedy: "Check the path." });
  const scores = new Map<string, number>();
  let column: string | undefined;
  const rows = createReadStream(file).pipe(
    parse({
      columns: true,
      bom: true,
      trim: true,
      skip_empty_lines: true,
      info: true,
      relax_column_count: true,
    }),
  );
  for await (const { record, info } of rows as AsyncIterable<{
    record: Record<string, string>;
    info: { lines: number };
  }>) {
    column ??= columns.find((name) => name in record);
    const name = record.image;
    if (column === undefined || name === undefined) {
      const want = name === undefined ? "`image`" : columns.map((c) => `\`${c}\``).join(" or ");
      throw new LeafError(
        "input",
        `${path.basename(file)}:1: no column ${want}; there are ${Object.keys(record).join(", ")}.`,
        { file, line: 1 },
      );
    }
    const value = Number(record[column]);
    if (record[column] === "" || !Number.isFinite(value)) {
      throw new LeafError(
        "input",
        `${path.basename(file)}:${info.lines}: \`${record[column]}\` is not a number.`,
        { file, line: info.lines },
      );
    }
    scores.set(name, value);
  }
  return scores;
}
