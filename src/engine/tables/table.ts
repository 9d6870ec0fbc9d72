import { open } from "node:fs/promises";
import path from "node:path";
import { say } from "../../words/text.ts";
import { explainFileSystemError, LeafError } from "../base/errors.ts";
import { regularFile } from "../base/regularFile.ts";
import { openDelimited } from "./delimited.ts";
import { openJson, openJsonLines } from "./json.ts";
import type { Table, TableOptions } from "./types.ts";

export type TableKind = "text" | "json" | "jsonl" | "xlsx" | "parquet";

// What most datasets have no file of is loaded where there is one.
const readers: Record<TableKind, (file: string, options: TableOptions) => Promise<Table>> = {
  text: openDelimited,
  json: openJson,
  jsonl: openJsonLines,
  xlsx: async (file, options) => (await import("./xlsx.ts")).openXlsx(file, options),
  parquet: async (file, options) => (await import("./parquet.ts")).openParquet(file, options),
};

/** Names of files that are tables; of plain texts TID's and AVA's alone, since most are something else. */
export const tableFile = /(\.(csv|tsv|xlsx|json|jsonl|ndjson|parquet)|mos_with_names\.txt|(^|\/)AVA\.txt)$/i;

/**
 * Opens a table. Throws a LeafError `config` for a file that is missing, unreadable, empty or no table, `input` for a
 * damaged one.
 */
export async function openTable(file: string, options: TableOptions = {}): Promise<Table> {
  const kind = await tableKind(file);
  try {
    return await readers[kind](file, options);
  } catch (error) {
    throw explainFileSystemError(error, "read", file);
  }
}

/** What a table is kept in: by its first bytes, else by its name. Throws as `openTable`. */
export async function tableKind(file: string): Promise<TableKind> {
  const head = await headOf(file);
  const base = path.basename(file);
  if (head.toString("latin1", 0, 4) === "PAR1") return "parquet";
  if (head.toString("latin1", 0, 4) === "PK\u0003\u0004") return "xlsx";
  if (head.toString("latin1", 0, 10) === "MATLAB 5.0") {
    throw new LeafError("config", say`${base} is a MATLAB file, which LEAF does not read.`, {
      file,
      remedy: say`Write its names and scores to a CSV file; docs/datasets.md shows how.`,
    });
  }
  if (head[0] === 0x1f && head[1] === 0x8b) {
    throw new LeafError("config", say`${base} is compressed, and LEAF does not unpack tables.`, {
      file,
      remedy: say`Unpack it, for example with gunzip, and name the file inside.`,
    });
  }
  if (head.readUInt32BE(0) === 0xd0cf11e0) {
    throw new LeafError("config", say`${base} is an old Excel workbook (.xls), which LEAF does not read.`, {
      file,
      remedy: say`Save it as .xlsx or CSV.`,
    });
  }
  if (/\.(jsonl|ndjson)$/i.test(file)) return "jsonl";
  if (/\.json$/i.test(file)) return "json";
  return "text";
}

async function headOf(file: string): Promise<Buffer> {
  await regularFile(file, say`Name a file of scores, such as a CSV file.`);
  try {
    const handle = await open(file, "r");
    try {
      return (await handle.read(Buffer.alloc(16), 0, 16, 0)).buffer;
    } finally {
      await handle.close();
    }
  } catch (error) {
    const explained = explainFileSystemError(error, "read", file);
    if (explained instanceof LeafError)
      throw new LeafError("config", explained.words.message, {
        file,
        remedy: explained.words.remedy,
        cause: error,
      });
    throw error;
  }
}
