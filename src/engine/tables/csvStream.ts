import path from "node:path";
import { say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import { type CsvRow, scanRow } from "./csvRows.ts";

export interface ReadRow {
  /** Line on which the row ends, 1-based. */
  line: number;
  /** What each of its cells says. */
  values: string[];
  /** Why the row cannot be trusted. */
  fault?: string;
}

/**
 * Streams the rows of a CSV text, some at a time. Throws a LeafError `input` for a quote that is never closed and a row that is
 * too long, since all after it is lost.
 */
export async function* csvRows(
  file: string,
  text: AsyncIterable<string>,
  delimiter: string,
  { size, signal }: { size: number; signal?: AbortSignal },
): AsyncGenerator<ReadRow[]> {
  let rest = "";
  let line = 1;
  let wanted = 0;
  let batch: ReadRow[] = [];
  const take = (row: CsvRow) => {
    const first = line;
    line += row.breaks;
    if (row.fault === "open") throw unclosed(file, first);
    if (row.cells.length > 0) {
      const values = row.cells.map((cell) => cell.value);
      batch.push(row.fault ? { line, values, fault: tailFault } : { line, values });
    }
    line += 1;
  };
  for await (const piece of text) {
    rest += piece;
    // A long row is not looked at again before there is twice as much of it.
    if (rest.length < wanted) continue;
    let at = 0;
    for (;;) {
      const row = scanRow(rest, at, delimiter, false);
      if (!row) break;
      take(row);
      at = row.next;
      if (batch.length < size) continue;
      throwIfCancelled(signal);
      yield batch;
      batch = [];
    }
    rest = rest.slice(at);
    wanted = 2 * rest.length;
    if (rest.length > limits.csvRow) throw tooLong(file, line);
  }
  for (let at = 0; at < rest.length; ) {
    const row = scanRow(rest, at, delimiter, true)!;
    if (row.next - row.start > limits.csvRow) throw tooLong(file, line);
    take(row);
    at = row.next;
  }
  throwIfCancelled(signal);
  if (batch.length > 0) yield batch;
}

export const tailFault = "Text follows a closing quote: a quote inside a quoted value is written twice.";

export function unclosed(file: string, line: number): LeafError {
  return new LeafError(
    "input",
    say`${path.basename(file)}:${line}: a quote is opened here and never closed.`,
    {
      file,
      line,
      remedy: say`Correct the row; a quote inside a quoted value is written twice.`,
    },
  );
}

function tooLong(file: string, line: number): LeafError {
  const most = limits.csvRow / 1e6;
  return new LeafError(
    "input",
    say`${path.basename(file)}:${line}: the row is longer than ${most} million characters, the most that LEAF reads.`,
    { file, line, remedy: say`Check that it is a table of names and scores, and that each quote is closed.` },
  );
}
