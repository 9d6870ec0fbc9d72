import path from "node:path";
import { unzipSync, zipSync } from "fflate";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { limits, megabytes } from "../base/limits.ts";

const mostParts = 10_000;
const part = /\.(xml|rels)$/i;

/**
 * A workbook with nothing in it but the parts that are read, not packed, and its sheets no larger than memory holds: the reader
 * fills the whole area up to the farthest cell. Throws a LeafError `input` for one beyond the limits, something else for one
 * that is damaged.
 */
export function boundedWorkbook(file: string, bytes: Buffer): Buffer {
  const base = path.basename(file);
  const remedy = say`Save the sheet as CSV, which is streamed.`;
  let [parts, unpacked] = [0, 0];
  // In place of their true sizes parts may claim smaller ones: then they are cut off there.
  const files = unzipSync(bytes, {
    filter({ name, originalSize }) {
      if (++parts > mostParts) throw new Error("too many parts");
      if (!part.test(name)) return false;
      unpacked += originalSize;
      if (unpacked <= limits.xlsxUnpacked) return true;
      const most = megabytes(limits.xlsxUnpacked);
      throw new LeafError("input", say`${base} unpacks to more than ${most}, the most that LEAF reads.`, {
        file,
        remedy,
      });
    },
  });
  // Whatever it is called, a part may be used as a sheet.
  for (const content of Object.values(files)) {
    const { rows, columns, at } = areaOf(content);
    if (rows * columns <= limits.xlsxArea) continue;
    const area = say`${rows} rows and ${columns} columns`;
    throw new LeafError(
      "input",
      say`${base} has something in the cell ${at}: the sheet spans ${area}, more than the ${limits.xlsxArea / 1e6} million cells that LEAF reads.`,
      { file, remedy: say`Delete what stands there, or save the sheet as CSV, which is streamed.` },
    );
  }
  return Buffer.from(zipSync(files, { level: 0 }));
}

const tag = /<(?:\w+:)?(c|row)(?=[\s/>])/g;
const attributes = /((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const places = /(?:\s|:)r\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const [mostRows, mostColumns] = [1_048_576, 16_384];

/** What a sheet spans, by the places that its rows and cells name; empty cells do not count. */
function areaOf(content: Uint8Array): { rows: number; columns: number; at: string } {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1");
  const area = { rows: 0, columns: 0, at: "" };
  for (const { index, 0: opening, 1: kind } of text.matchAll(tag)) {
    attributes.lastIndex = index + opening.length;
    const found = attributes.exec(text);
    if (!found) throw new Error("a tag that is no XML");
    for (const [, double, single] of found[1]!.matchAll(places)) {
      const place = double ?? single!;
      const [, letters = "", digits] = /^([A-Z]{0,3})(\d{1,7})$/.exec(place) ?? [];
      const [row, column] = [Number(digits), columnOf(letters)];
      if (!(row <= mostRows && column <= mostColumns) || (kind === "row") !== (letters === ""))
        throw new Error(`no place: ${place}`);
      const isEmpty = kind === "c" && found[2] === "/";
      const farther = row > area.rows || (column > area.columns && !isEmpty);
      if (farther && kind === "c") area.at = place;
      area.rows = Math.max(area.rows, row);
      if (!isEmpty) area.columns = Math.max(area.columns, column);
    }
  }
  return area;
}

function columnOf(letters: string): number {
  return [...letters].reduce((column, letter) => 26 * column + letter.charCodeAt(0) - 64, 0);
}
