import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { limits, megabytes } from "../base/limits.ts";
import { cellText, oneLine } from "./cellText.ts";
import { detectEncoding, readText } from "./encoding.ts";
import { foreignRows } from "./foreignJson.ts";
import type { Table, TableOptions, TableRow } from "./types.ts";

type JsonRow = Record<string, unknown>;

/** The columns of JSON are the keys of this many rows: a key may be missing from the first. */
const rowsAsked = 100;
const batchSize = 1000;
/** Lists in a cell are short, or no cell. */
const longestList = 10_000;

/** A JSON file: a list of objects, or an object that holds one such list. It is read whole. */
export async function openJson(file: string, { signal }: TableOptions): Promise<Table> {
  const base = path.basename(file);
  const { size } = await stat(file);
  if (size > limits.jsonBytes) throw tooLarge(file, say`is too large (${megabytes(size)})`);
  let value: unknown;
  try {
    const encoding = await detectEncoding(file, signal);
    const bytes = await readFile(file);
    if (valuesIn(bytes) > limits.jsonValues)
      throw tooLarge(file, say`holds more than ${limits.jsonValues / 1e6} million values`);
    value = JSON.parse(new TextDecoder(encoding).decode(bytes));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new LeafError("input", say`${base} is not valid JSON: ${oneLine(error.message)}.`, {
      file,
      cause: error,
    });
  }
  const rows = foreignRows(value) ?? rowsIn(value);
  if (rows === undefined || rows.length === 0) {
    throw new LeafError("config", say`${base} holds no list of objects.`, {
      file,
      remedy: say`Write a list such as [{"image": "a.jpg", "mos": 3.4}].`,
    });
  }
  const columns = keysOf(rows.slice(0, rowsAsked));
  return {
    columns,
    headerLine: 1,
    decimalComma: true,
    async *batches(at, signal): AsyncGenerator<TableRow[]> {
      for (let from = 0; from < rows.length; from += batchSize) {
        throwIfCancelled(signal);
        const some = rows.slice(from, from + batchSize);
        yield some.map((row, i) => ({ line: from + i + 1, cells: cellsOf(row, columns, at) }));
      }
    },
  };
}

function tooLarge(file: string, why: Text): LeafError {
  return new LeafError("input", say`${path.basename(file)} ${why}: JSON is read whole.`, {
    file,
    remedy: say`Write it as JSON Lines (.jsonl), CSV or Parquet, which are streamed.`,
  });
}

/** At most how many values JSON has: each but the first comes after a comma or a bracket. */
function valuesIn(bytes: Buffer): number {
  let count = 1;
  for (const byte of bytes) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) count++;
  return count;
}

/** JSON Lines: one object a line. */
export async function openJsonLines(file: string, { signal }: TableOptions): Promise<Table> {
  const encoding = await detectEncoding(file, signal);
  const asked: JsonRow[] = [];
  for await (const batch of jsonLines(file, readText(file, encoding, signal))) {
    asked.push(...batch.slice(0, rowsAsked).map(({ row }) => row));
    if (asked.length >= rowsAsked) break;
  }
  if (asked.length === 0) {
    throw new LeafError("config", say`${path.basename(file)} is empty.`, {
      file,
      remedy: say`Write one object a line, such as {"image": "a.jpg", "mos": 3.4}.`,
    });
  }
  const columns = keysOf(asked);
  return {
    columns,
    headerLine: 1,
    decimalComma: true,
    async *batches(at, signal): AsyncGenerator<TableRow[]> {
      for await (const batch of jsonLines(file, readText(file, encoding, signal)))
        yield batch.map(({ row, line }) => ({ line, cells: cellsOf(row, columns, at) }));
    },
  };
}

/** The rows of each piece of text; none is empty. */
async function* jsonLines(file: string, text: AsyncIterable<string>) {
  let pieces: string[] = [];
  let length = 0;
  let line = 0;
  const parsed = (lines: string[]) =>
    lines.flatMap((source) => {
      line += 1;
      return source.trim() === "" ? [] : [{ row: parseLine(file, source, line), line }];
    });
  for await (const piece of text) {
    // A long line is not looked at again before it ends.
    pieces.push(piece);
    length += piece.length;
    if (length > limits.jsonLine) throw tooLongLine(file, line + 1);
    if (!piece.includes("\n")) continue;
    const lines = pieces.join("").split("\n");
    const rest = lines.pop()!;
    pieces = [rest];
    length = rest.length;
    const batch = parsed(lines);
    if (batch.length > 0) yield batch;
  }
  const last = parsed([pieces.join("")]);
  if (last.length > 0) yield last;
}

function parseLine(file: string, source: string, line: number): JsonRow {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {}
  if (isRow(value)) return value;
  throw new LeafError("input", say`${path.basename(file)}:${line}: the line is no JSON object.`, {
    file,
    line,
    remedy: say`JSON Lines has one object a line; name a file that holds one list \`.json\`.`,
  });
}

function tooLongLine(file: string, line: number): LeafError {
  const most = limits.jsonLine / 1e6;
  return new LeafError(
    "input",
    say`${path.basename(file)}:${line}: the line is longer than ${most} million characters, the most that LEAF reads.`,
    { file, line, remedy: say`Write one object a line, or name a file that holds one list \`.json\`.` },
  );
}

function isRow(value: unknown): value is JsonRow {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function rowsIn(value: unknown): JsonRow[] | undefined {
  if (Array.isArray(value)) return value.every(isRow) ? value : undefined;
  if (!isRow(value)) return undefined;
  const lists = Object.values(value).filter(
    (one) => Array.isArray(one) && one.length > 0 && one.every(isRow),
  );
  return lists.length === 1 ? (lists[0] as JsonRow[]) : undefined;
}

function keysOf(rows: readonly JsonRow[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

function cellsOf(row: JsonRow, columns: readonly string[], at: readonly number[]): string[] {
  return at.map((place) => {
    const name = columns[place]!;
    if (!Object.hasOwn(row, name)) return "";
    const value = row[name];
    // A list of ratings or votes, or what Label Studio wraps a rating in: short, and read where a score is meant.
    const isWrapped = typeof value === "object" && value !== null && !(value instanceof Date);
    const text = isWrapped ? JSON.stringify(value) : "";
    return text !== "" && text.length <= longestList ? text : cellText(value);
  });
}
