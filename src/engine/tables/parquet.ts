import path from "node:path";
import zlib from "node:zlib";
import { asyncBufferFromFile, type Compressors, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { LeafError, throwIfCancelled } from "../errors.ts";
import { cellText } from "./cellText.ts";
import type { Table, TableOptions, TableRow } from "./table.ts";

/** hyparquet brings Snappy itself. */
export const parquetCompressors: Compressors = {
  GZIP: (input) => zlib.gunzipSync(input),
  ZSTD: (input) => zlib.zstdDecompressSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
};

/** Rows read at a time where row groups are larger. */
const mostRows = 10_000;

/** A Parquet file; its columns that hold text or numbers. Only those that are asked for are read, some rows at a time. */
export async function openParquet(file: string, _options: TableOptions): Promise<Table> {
  const buffer = await asyncBufferFromFile(file);
  const metadata = await parquetMetadataAsync(buffer).catch((error) => damaged(file, error));
  const columns = topLevelColumns(metadata.schema);
  return {
    columns,
    headerLine: 1,
    decimalComma: true,
    async *rows(at, signal): AsyncGenerator<TableRow> {
      const names = [...new Set(at.map((place) => columns[place]!))];
      let groupStart = 0;
      for (const group of metadata.row_groups) {
        const groupEnd = groupStart + Number(group.num_rows);
        for (let rowStart = groupStart; rowStart < groupEnd; rowStart += mostRows) {
          throwIfCancelled(signal);
          const rows = await parquetReadObjects({
            file: buffer,
            metadata,
            columns: names,
            rowStart,
            rowEnd: Math.min(rowStart + mostRows, groupEnd),
            compressors: parquetCompressors,
          }).catch((error) => damaged(file, error));
          for (const [i, row] of rows.entries())
            yield { line: rowStart + i + 1, cells: at.map((place) => cellText(row[columns[place]!])) };
        }
        groupStart = groupEnd;
      }
    },
  };
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
    `${path.basename(file)} cannot be read as Parquet: ${String(error instanceof Error ? error.message : error).split("\n")[0]}.`,
    { file, remedy: "Write it again, with Snappy, gzip, zstd or no compression.", cause: error },
  );
}
