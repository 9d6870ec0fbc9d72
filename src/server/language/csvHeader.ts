import { open } from "node:fs/promises";
import { parse } from "csv-parse/sync";

const mostBytes = 64 * 1024;

/** Column names in the first row of a CSV file; none where there is no such file. */
export async function csvHeader(file: string): Promise<string[]> {
  try {
    const handle = await open(file, "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
      const head = buffer.subarray(0, bytesRead);
      const encoding = head[0] === 0xff && head[1] === 0xfe ? "utf16le" : "utf8";
      const [line = ""] = head
        .toString(encoding)
        .replace(/^\ufeff/, "")
        .split(/\r\n|\n|\r/, 1);
      const bare = line.replace(/"(?:[^"]|"")*"/g, "");
      const often = (delimiter: string) => bare.split(delimiter).length;
      const delimiter = [",", ";", "\t"].reduce((best, next) => (often(next) > often(best) ? next : best));
      const [row = []] = parse(line, { delimiter, trim: true, relax_quotes: true }) as string[][];
      return row.filter((name) => name !== "");
    } finally {
      await handle.close();
    }
  } catch {
    return [];
  }
}
