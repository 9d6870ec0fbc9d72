import { open } from "node:fs/promises";
import path from "node:path";
import zlib from "node:zlib";
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  type ParquetScanOptions,
  parquetMetadataAsync,
  parquetScan,
} from "hyparquet";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError, messageOf, throwIfCancelled } from "../base/errors.ts";
import { limits, megabytes } from "../base/limits.ts";
import { regularFile } from "../base/regularFile.ts";
import { cellText, oneLine } from "./cellText.ts";
import type { Table, TableOptions, TableRow } from "./types.ts";

/** hyparquet brings Snappy itself. */
export const parquetCompressors: Compressors = {
  GZIP: (input, size) => zlib.gunzipSync(input, atMost(size)),
  ZSTD: (input, size) => zlib.zstdDecompressSync(input, atMost(size)),
  BROTLI: (input, size) => zlib.brotliDecompressSync(input, atMost(size)),
};

/** A page says how large it is unpacked: one that goes on is damaged, or a bomb. */
function atMost(size: number): { maxOutputLength: number } {
  return { maxOutputLength: Math.max(1, Math.min(size, limits.parquetPart)) };
}

/** Rows read at a time where row groups are larger: each time, the group is decoded from its start. */
const mostRows = 1_000_000;
const batchSize = 1000;

export interface ParquetFile {
  file: string;
  buffer: AsyncBuffer;
  metadata: FileMetaData;
}

/** Reads what a Parquet file says of itself. Throws a LeafError `input` for one that is damaged or too large to read. */
export async function openParquetFile(file: string): Promise<ParquetFile> {
  const { size } = await regularFile(file, say`Name a Parquet file.`);
  const footer = await footerSize(file, size);
  if (footer > limits.parquetFooter && footer <= size)
    throw tooLarge(file, say`describes itself in ${megabytes(footer)}`, megabytes(limits.parquetFooter));
  const buffer = await asyncBufferFromFile(file);
  const metadata = await parquetMetadataAsync(buffer).catch((error) => damaged(file, error));
  for (const { columns, num_rows } of metadata.row_groups)
    for (const { meta_data: column } of columns) {
      const [bytes, rows] = [Number(column?.total_uncompressed_size ?? 0), Number(num_rows)];
      // However well they are packed, values take memory once they are read.
      const values = Math.max(rows, Number(column?.num_values ?? 0));
      if (bytes < 0 || rows < 0) damaged(file, new Error("it has a negative number of rows"));
      if (bytes > limits.parquetPart)
        throw tooLarge(
          file,
          say`has a column of ${megabytes(bytes)} in one row group`,
          megabytes(limits.parquetPart),
        );
      if (values > limits.parquetGroupRows)
        throw tooLarge(file, say`has a row group of ${values} rows`, String(limits.parquetGroupRows));
    }
  return { file, buffer, metadata };
}

async function footerSize(file: string, size: number): Promise<number> {
  if (size < 12) return 0;
  const handle = await open(file, "r");
  try {
    return (await handle.read(Buffer.alloc(4), 0, 4, size - 8)).buffer.readUInt32LE();
  } finally {
    await handle.close();
  }
}

function tooLarge(file: string, why: Text, most: string): LeafError {
  const base = path.basename(file);
  return new LeafError("input", say`${base} ${why}; LEAF reads at most ${most}.`, {
    file,
    remedy: say`Write it again with fewer columns, or in smaller row groups.`,
  });
}

/** A Parquet file; its columns that hold text or numbers. Only those that are asked for are read, some rows at a time. */
export async function openParquet(file: string, _options: TableOptions): Promise<Table> {
  const parquet = await openParquetFile(file);
  const columns = topLevelColumns(parquet.metadata.schema);
  return {
    columns,
    headerLine: 1,
    decimalComma: true,
    async *batches(at, signal): AsyncGenerator<TableRow[]> {
      const names = at.map((place) => columns[place]!);
      for await (const { start, size, values } of parquetBatches(parquet, names, signal))
        yield Array.from({ length: size }, (_, i) => ({
          line: start + i + 1,
          cells: values.map((column) => cellText(column[i])),
        }));
    },
  };
}

/** Streams the values of some columns, in batches of rows of which `start` is the first, 0-based. */
export async function* parquetBatches(
  { file, buffer, metadata }: ParquetFile,
  names: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<{ start: number; size: number; values: unknown[][] }> {
  let groupStart = 0;
  for (const group of metadata.row_groups) {
    const groupEnd = groupStart + Number(group.num_rows);
    for (let rowStart = groupStart; rowStart < groupEnd; rowStart += mostRows) {
      throwIfCancelled(signal);
      const rowEnd = Math.min(rowStart + mostRows, groupEnd);
      const range = { file: buffer, metadata, rowStart, rowEnd, compressors: parquetCompressors };
      const read = await readColumns(range, names).catch((error) => damaged(file, error));
      if (read.some(({ length }) => length < rowEnd - rowStart))
        damaged(file, `it has fewer rows than the ${groupEnd} that it tells`);
      for (let from = 0; from < rowEnd - rowStart; from += batchSize) {
        const size = Math.min(batchSize, rowEnd - rowStart - from);
        const values = read.map((column) => Array.from({ length: size }, (_, i) => column[from + i]));
        yield { start: rowStart + from, size, values };
      }
    }
    groupStart = groupEnd;
  }
}

/** The values of some columns in a range of rows. */
async function readColumns(
  range: Omit<ParquetScanOptions, "columns"> & { rowStart: number; rowEnd: number },
  names: readonly string[],
): Promise<ArrayLike<unknown>[]> {
  const scan = await parquetScan({ ...range, columns: [...new Set(names)] });
  const { rowStart, rowEnd } = range;
  return Promise.all(names.map((column) => scan.readColumn({ column, rowStart, rowEnd })));
}

/** Names of the columns that are no lists or structures. `schema` is the tree in depth-first order, the root first. */
function topLevelColumns(schema: readonly { name: string; num_children?: number }[]): string[] {
  const names: string[] = [];
  const skip = (at: number): number => {
    let next = at + 1;
    for (let child = 0; child < (schema[at]?.num_children ?? 0); child++) next = skip(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = skip(at))
    if (!schema[at]!.num_children) names.push(schema[at]!.name);
  return names;
}

function damaged(file: string, error: unknown): never {
  throw new LeafError(
    "input",
    say`${path.basename(file)} cannot be read as Parquet: ${oneLine(messageOf(error))}.`,
    { file, remedy: say`Write it again, with Snappy, gzip, zstd or no compression.`, cause: error },
  );
}
