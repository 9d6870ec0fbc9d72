import { truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { parquetWriteFile } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { type Mos, readMos } from "../../../src/engine/dataset/readMos.ts";
import { scanCsv } from "../../../src/engine/tables/csvEdit.ts";
import { openTable, tableKind } from "../../../src/engine/tables/table.ts";
import { makeIndex } from "../../support/imageIndex.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const fixtures = path.resolve("test/fixtures/datasets");

function put(name: string, data: string | Uint8Array): string {
  const file = path.join(temporaryFolder(), name);
  writeFileSync(file, data);
  return file;
}

/** All rows of a table, each with its line in front. */
async function rowsOf(file: string, columns?: string[]): Promise<(string | number)[][]> {
  const table = await openTable(file);
  const at = (columns ?? table.columns).map((column) => table.columns.indexOf(column));
  const rows: (string | number)[][] = [];
  for await (const batch of table.batches(at)) rows.push(...batch.map(({ line, cells }) => [line, ...cells]));
  return rows;
}

const source = { image: "image", score: "mos", range: [1, 5] as [number, number] };

describe("encodings", () => {
  const names = ["straße €.png", "naïve “b”.png"];
  const text = `image;mos\r\n${names[0]};3,5\r\n${names[1]};2\r\n`;
  /** Windows-1252 is Latin-1 but for 0x80 to 0x9f. */
  const windows = Buffer.from(
    [...text].map((char) => ({ "€": 0x80, "“": 0x93, "”": 0x94 })[char] ?? char.charCodeAt(0)),
  );
  const utf16 = Buffer.from(`\ufeff${text}`, "utf16le");

  it.each([
    ["UTF-8", Buffer.from(text)],
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${text}`)],
    ["UTF-16, low byte first", utf16],
    ["UTF-16, high byte first", Buffer.from(utf16).swap16()],
    ["Windows-1252", windows],
  ])("%s", async (_, bytes) => {
    const test = makeIndex(names);
    const mos = await readMos({ file: put("mos.csv", bytes), ...source }, test.index);
    expect(names.map((name) => mos.scores.get(test.hashOf(name)))).toEqual([3.5, 2]);
    expect(mos.problems).toEqual([]);
  });

  it("is told by all of the file, not by its beginning", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i}.png;3\n`).join("");
    const late = Buffer.concat([
      Buffer.from(`image;mos\n${rows}`),
      Buffer.from("caf\u00e9.png;4\n", "latin1"),
    ]);
    const test = makeIndex(["café.png"]);
    const mos = await readMos({ file: put("mos.csv", late), ...source }, test.index);
    expect(mos.scores.get(test.hashOf("café.png"))).toBe(4);
    // Characters of several bytes may lie across the pieces in which a file is read.
    const long = `image;mos\n${"é".repeat(100_001)};3\ncafé.png;4\n`;
    const whole = await readMos({ file: put("mos.csv", long), ...source }, test.index);
    expect(whole.scores.get(test.hashOf("café.png"))).toBe(4);
  });

  it("reads JSON and JSON Lines in UTF-16 as well", async () => {
    const json = Buffer.from('\ufeff[{"image":"é.png","mos":3}]', "utf16le");
    expect(await rowsOf(put("a.json", json))).toEqual([[1, "é.png", "3"]]);
    const lines = Buffer.from('\ufeff{"image":"é.png","mos":3}\r\n', "utf16le");
    expect(await rowsOf(put("a.jsonl", lines))).toEqual([[1, "é.png", "3"]]);
  });
});

describe("containers", () => {
  it("are told by their bytes, then by their name", async () => {
    expect(await tableKind(path.join(fixtures, "csiq.DMOS.xlsx"))).toBe("xlsx");
    expect(await tableKind(path.join(fixtures, "zstd.parquet"))).toBe("parquet");
    expect(await tableKind(put("PARQUET", "PAR1"))).toBe("parquet");
    expect(await tableKind(put("a.NDJSON", "{}"))).toBe("jsonl");
    expect(await tableKind(put("a.tsv", ""))).toBe("text");
    await expect(tableKind(put("a.xls", Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0)))).rejects.toMatchObject({
      code: "config",
      remedy: "Save it as .xlsx or CSV.",
    });
  });

  it.each(["none", "snappy", "gzip", "zstd", "brotli"])("Parquet as pyarrow writes it: %s", async (codec) => {
    const rows = await rowsOf(path.join(fixtures, `${codec}.parquet`));
    expect(rows).toEqual(
      Array.from({ length: 1200 }, (_, i) => [
        i + 1,
        `image ${i}.png`,
        i === 7 ? "" : String(1 + (i % 401) / 100),
        String((i % 8) / 8),
        String(i),
        ["beach", "city"][i % 2],
      ]),
    );
  });

  it("names what is wrong with a damaged file", async () => {
    for (const [name, data, message] of [
      ["a.json", "[{", /^a\.json is not valid JSON: .+\.$/],
      ["a.jsonl", '{"image":"a"}\n\n[1]\n', /^a\.jsonl:3: the line is no JSON object\.$/],
      ["a.xlsx", "PK\u0003\u0004 no zip", /^a\.xlsx is not an Excel workbook, or a damaged one\.$/],
      ["a.parquet", "PAR1 and no more", /^a\.parquet cannot be read as Parquet: .+\.$/],
    ] as const)
      await expect(rowsOf(put(name, data)), name).rejects.toMatchObject({
        code: "input",
        message: expect.stringMatching(message),
      });
    await expect(rowsOf(path.join(fixtures, "lz4.parquet"))).rejects.toMatchObject({
      code: "input",
      remedy: "Write it again, with Snappy, gzip, zstd or no compression.",
    });
    for (const [name, data] of [
      ["a.json", "[]"],
      ["a.json", '{"a": [1], "b": 2}'],
      ["a.jsonl", "\n\n"],
      ["a.csv", "\n"],
    ] as const)
      await expect(rowsOf(put(name, data)), `${name} ${data}`).rejects.toMatchObject({ code: "config" });
  });

  it("refuses what would be read whole and is too large", async () => {
    const workbook = put("a.xlsx", "PK\u0003\u0004");
    truncateSync(workbook, 33e6);
    await expect(rowsOf(workbook)).rejects.toMatchObject({
      code: "input",
      message: "a.xlsx is too large for a workbook (33 MB).",
      remedy: "Save the sheet as CSV, which is streamed.",
    });
    const json = put("a.json", "[");
    truncateSync(json, 257e6);
    await expect(rowsOf(json)).rejects.toMatchObject({
      message: /too large \(257 MB\)/,
      remedy: /JSON Lines/,
    });
  });

  it.each([
    [
      "titles above it",
      "Study of 2024;;\nby ITU, in May;;\n\nimage;mos;sd\na.jpg;3,5;1\n",
      ["image", "mos", "sd"],
      4,
    ],
    ["a title alone", "Study\nimage,mos\na.jpg,3.5\n", ["image", "mos"], 2],
    ["Excel's own line", "sep=;\nimage;mos\na.jpg;3\n", ["image", "mos"], 2],
    ["comments", "# made by a tool, in May\n# v2\nimage,mos\na.jpg,3\n", ["image", "mos"], 3],
    ["names that begin with #", "#image,mos\na.jpg,3\n", ["#image", "mos"], 1],
    ["names without one for the index", ",mos\na.jpg,3\n", ["", "mos"], 1],
    ["rows that lack cells", "image,mos,sd\na.jpg,3\nb.jpg,2\n", ["image", "mos", "sd"], 1],
    ["one column", "image\na.jpg\nb.jpg\n", ["image"], 1],
    ["names alone", "image,mos\n", ["image", "mos"], 1],
  ])(
    "finds the names of the columns with %s, as does who writes to it",
    async (_what, text, columns, line) => {
      const table = await openTable(put("t.csv", text));
      expect([table.columns, table.headerLine]).toEqual([columns, line]);
      const csv = scanCsv(text)!;
      expect(csv.header.map(({ value }) => value)).toEqual(columns);
      const all = await rowsOf(put("t.csv", text));
      expect(csv.records).toHaveLength(all.length);
      expect(all.slice(0, 1).map((row) => row[1])).toEqual(
        csv.records.slice(0, 1).map((row) => row.cells[0]!.value),
      );
    },
  );

  it.each([
    ["my pic 1.JPG,3.5", ["my pic 1.JPG", "3.5"]],
    ['"a, b.jpg";3,5', ["a, b.jpg", "3,5"]],
    ["a.png 4", ["a.png", "4"]],
    ["4.25,sub/a.webp", ["sub/a.webp", "4.25"]],
    ["3\ta.bmp", ["a.bmp", "3"]],
  ])("reads names and scores without a header: %s", async (line, [image, mos]) => {
    expect(await rowsOf(put("t.csv", `${line}\n${line}\n`), ["image", "mos"])).toEqual([
      [1, image, mos],
      [2, image, mos],
    ]);
  });

  it("reads JSON that is keyed by name, also inside an object", async () => {
    const scores = { "a.jpg": 3.4, "b.jpg": null };
    for (const value of [scores, { scores }, { made: "today", scores }])
      expect(await rowsOf(put("t.json", JSON.stringify(value)), ["image", "mos"])).toEqual([
        [1, "a.jpg", "3.4"],
        [2, "b.jpg", ""],
      ]);
    const rich = { a: { mos: 1, by: ["p"] }, b: { mos: 2 }, c: { mos: 3 } };
    expect(await rowsOf(put("t.json", JSON.stringify(rich)), ["image", "mos"])).toEqual([
      [1, "a", "1"],
      [2, "b", "2"],
      [3, "c", "3"],
    ]);
    await expect(openTable(put("t.json", '{ "width": 3, "height": 4 }'))).rejects.toThrow(
      "no list of objects",
    );
  });

  it("says that a compressed table has to be unpacked", async () => {
    await expect(openTable(put("t.csv.gz", gzipSync("image,mos\n")))).rejects.toThrow("is compressed");
  });

  it("takes a list inside an object, and keys that come late", async () => {
    const json = '{"about": "x", "files": [{"image": "a"}, {"image": "b", "mos": 2.5, "p": [1]}]}';
    expect(await rowsOf(put("a.json", json), ["image", "mos"])).toEqual([
      [1, "a", ""],
      [2, "b", "2.5"],
    ]);
  });

  it("stops when told to", async () => {
    const controller = new AbortController();
    const table = await openTable(path.join(fixtures, "none.parquet"));
    const read = async () => {
      for await (const [first] of table.batches([0], controller.signal))
        if (first!.line === 1) controller.abort();
        else throw new Error("It went on.");
    };
    await expect(read()).rejects.toMatchObject({ code: "cancelled" });
  });
});

/** The ways in which one set of scores may be written. */
const writers: Record<
  string,
  (folder: string, rows: { image: string; mos: number; std: number }[]) => string
> = {
  csv: delimited("mos.csv", ",", "\n"),
  "csv with semicolons, CRLF and a byte order mark": delimited("mos.csv", ";", "\r\n", "\ufeff"),
  tsv: delimited("mos.tsv", "\t", "\n"),
  json: (folder, rows) => write(folder, "mos.json", JSON.stringify(rows, null, 1)),
  jsonl: (folder, rows) => write(folder, "mos.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join("")),
  parquet(folder, rows) {
    const filename = path.join(folder, "mos.parquet");
    parquetWriteFile({
      filename,
      rowGroupSize: 3,
      columnData: [
        { name: "image", data: rows.map((row) => row.image), type: "STRING" },
        { name: "mos", data: rows.map((row) => row.mos), type: "DOUBLE" },
        { name: "std", data: rows.map((row) => row.std), type: "DOUBLE" },
      ],
    });
    return filename;
  },
};

function write(folder: string, name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

function delimited(name: string, delimiter: string, newline: string, mark = "") {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return (folder: string, rows: { image: string; mos: number; std: number }[]) =>
    write(
      folder,
      name,
      mark +
        [["image", "mos", "std"], ...rows.map(({ image, mos, std }) => [quote(image), mos, std])]
          .map((cells) => cells.join(delimiter) + newline)
          .join(""),
    );
}

describe.each(Object.keys(writers))("scores written as %s", (kind) => {
  it("come back as they were, duplicates and images that are missing counted", async () => {
    // No name is another's with the case or the ending changed, so that each means one image.
    const name = fc
      .string({ unit: fc.constantFrom(..."abcé😀 ,;\"'\t"), minLength: 1, maxLength: 8 })
      .map((text) => text.trim());
    const names = fc.uniqueArray(
      name.filter((text) => text !== ""),
      { minLength: 1, maxLength: 8 },
    );
    const folder = temporaryFolder();
    await fc.assert(
      fc.asyncProperty(
        names,
        fc.infiniteStream(fc.double({ min: 1, max: 5, noNaN: true })),
        fc.nat(3),
        fc.nat(3),
        async (found, numbers, twice, missing) => {
          const test = makeIndex(found.map((one) => `photos/${one}.png`));
          const next = () => numbers.next().value as number;
          const rows = found.map((one) => ({ image: `${one}.png`, mos: next(), std: next() }));
          const again = rows.slice(0, twice);
          const absent = Array.from({ length: missing }, (_, i) => ({
            image: `no ${i}.jpg`,
            mos: 1,
            std: 0,
          }));
          const file = writers[kind]!(folder, [...rows, ...again, ...absent]);
          const mos: Mos = await readMos({ file, ...source, std: "std" }, test.index);
          for (const row of rows) {
            const hash = test.hashOf(`photos/${row.image}`);
            expect([mos.scores.get(hash), mos.stds.get(hash)]).toEqual([row.mos, row.std]);
          }
          const first = rows.length + again.length + (/[ct]sv/.test(kind) ? 2 : 1);
          expect(mos.problems).toEqual(
            absent.map(({ image }, i) => ({
              kind: "noImage",
              line: first + i,
              message: `No image is called "${image}".`,
            })),
          );
          expect(mos.counts).toMatchObject({ duplicate: again.length, noImage: missing });
          expect(mos).toMatchObject({ rows: rows.length + again.length + missing, unscored: 0 });
        },
      ),
      { numRuns: 40 },
    );
  });
});
