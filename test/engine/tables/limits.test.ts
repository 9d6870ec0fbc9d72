import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { strToU8, zipSync } from "fflate";
import type { RowGroup } from "hyparquet";
import { ByteWriter, parquetWriteFile } from "hyparquet-writer";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import { expect, onTestFinished, test } from "vitest";
import { openParquetFile } from "../../../src/engine/tables/parquet.ts";
import { openTable } from "../../../src/engine/tables/table.ts";
import { temporaryFolder } from "../../support/pictures.ts";

function put(name: string, data: string | Uint8Array): string {
  const file = path.join(temporaryFolder(), name);
  writeFileSync(file, data);
  return file;
}

async function rowsOf(file: string): Promise<string[][]> {
  const table = await openTable(file);
  const rows: string[][] = [table.columns];
  for await (const batch of table.batches(table.columns.map((_, i) => i)))
    rows.push(...batch.map(({ cells }) => cells));
  return rows;
}

/** A workbook with one sheet of these rows. */
function workbook(rows: string, others: Record<string, Uint8Array> = {}): Uint8Array {
  const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  const relation = (type: string, target: string) =>
    `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="${office}/${type}" Target="${target}"/></Relationships>`;
  const parts = {
    "_rels/.rels": relation("officeDocument", "xl/workbook.xml"),
    "xl/workbook.xml": `<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relation("worksheet", "worksheets/sheet1.xml"),
    "xl/worksheets/sheet1.xml": `<worksheet xmlns="${main}"><sheetData>${rows}</sheetData></worksheet>`,
  };
  const files = Object.entries(parts).map(([name, text]) => [name, strToU8(`<?xml version="1.0"?>${text}`)]);
  return zipSync({ ...Object.fromEntries(files), ...others });
}

const cell = (place: string, text: string) => `<c r="${place}" t="inlineStr"><is><t>${text}</t></is></c>`;
const top = `<row r="1">${cell("A1", "image")}${cell("B1", "mos")}</row><row r="2">${cell("A2", "a.png")}<c r="B2"><v>3</v></c></row>`;

test("a workbook with a cell far away is refused by name, one with empty cells there is read", async () => {
  const far = put("far.xlsx", workbook(`${top}<row r="1048576">${cell("XFD1048576", "x")}</row>`));
  await expect(rowsOf(far)).rejects.toMatchObject({
    code: "input",
    message:
      "far.xlsx has something in the cell XFD1048576: the sheet spans 1048576 rows and 16384 columns, more than the 32 million cells that LEAF reads.",
    remedy: "Delete what stands there, or save the sheet as CSV, which is streamed.",
  });
  const empty = put(
    "a.xlsx",
    workbook(`${top}<row r="3"><c r="XFD3" s="0"/></row><row r="90000"><c r="B90000"/></row>`),
  );
  expect(await rowsOf(empty)).toEqual([
    ["image", "mos"],
    ["a.png", "3"],
  ]);
});

test.each([
  ["rows beyond the last of Excel", '<row r="99999999"><c r="ZZZZZZ99999999"><v>1</v></c></row>'],
  ["a number of a row that is a power", '<row r="1e9"></row>'],
  ["a place in other characters", '<row r="3"><c r="&#88;FD3"><v>1</v></c></row>'],
  ["an attribute that hides the place", '<row x=">" r="1e9"></row>'],
])("a workbook with %s is damaged", async (_, rows) => {
  await expect(rowsOf(put("a.xlsx", workbook(top + rows)))).rejects.toMatchObject({
    code: "input",
    message: "a.xlsx is not an Excel workbook, or a damaged one.",
  });
});

test("a workbook that unpacks to far more than it is, or says less than it holds, is refused; other parts are passed over", async () => {
  const blanks = new Uint8Array(65e6).fill(32);
  const bomb = workbook(top, { "xl/sharedStrings.xml": blanks });
  expect(bomb.length).toBeLessThan(200_000);
  await expect(rowsOf(put("bomb.xlsx", bomb))).rejects.toMatchObject({
    code: "input",
    message: "bomb.xlsx unpacks to more than 64 MB, the most that LEAF reads.",
  });
  expect(await rowsOf(put("a.xlsx", workbook(top, { "xl/media/a.bin": blanks })))).toHaveLength(2);
  // The directory at the end claims one byte for each part.
  const lying = Buffer.from(bomb);
  for (let at = lying.indexOf("PK\u0001\u0002"); at >= 0; at = lying.indexOf("PK\u0001\u0002", at + 4))
    lying.writeUInt32LE(1, at + 24);
  await expect(rowsOf(put("lying.xlsx", lying))).rejects.toMatchObject({ code: "input" });
});

test("what is no regular file is told, not read", async () => {
  const dir = temporaryFolder();
  mkdirSync(path.join(dir, "folder.csv"));
  await expect(rowsOf(path.join(dir, "folder.csv"))).rejects.toMatchObject({
    code: "config",
    message: `Cannot read ${path.join(dir, "folder.csv")}: it is a folder.`,
  });
  // Windows has no such files.
  if (process.platform === "win32") return;
  execFileSync("mkfifo", [path.join(dir, "pipe.csv"), path.join(dir, "pipe.parquet")]);
  symlinkSync("/dev/zero", path.join(dir, "zero.jsonl"));
  const socket = path.join(dir, "socket.json");
  const server = createServer().listen(socket);
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  for (const [name, what] of [
    ["pipe.csv", "a pipe"],
    ["zero.jsonl", "a device"],
    ["socket.json", "a socket"],
  ])
    await expect(rowsOf(path.join(dir, name!)), name).rejects.toMatchObject({
      code: "config",
      message: `Cannot read ${path.join(dir, name!)}: it is ${what}, not a regular file.`,
    });
  await expect(openParquetFile(path.join(dir, "pipe.parquet"))).rejects.toMatchObject({ code: "config" });
});

test("a row of CSV and a line of JSON Lines end somewhere", async () => {
  const long = "x".repeat(20e6);
  for (const text of [`image,mos,${long}`, `image,mos\na,1\n"${long}",3\n`, `image,mos\na,1\n"${long}`])
    await expect(rowsOf(put("a.csv", text))).rejects.toMatchObject({
      code: "input",
      message: expect.stringMatching(
        /^a\.csv:\d: the row is longer than 4 million characters, the most that LEAF reads\.$/,
      ),
    });
  for (const text of [`{"image":"${long}"}`, `{"image":"a"}\n{"image":"${long}`])
    await expect(rowsOf(put("a.jsonl", text))).rejects.toMatchObject({
      code: "input",
      message: expect.stringMatching(
        /^a\.jsonl:\d: the line is longer than 16 million characters, the most that LEAF reads\.$/,
      ),
    });
});

test("JSON of more values than memory holds is refused before it is parsed", async () => {
  await expect(rowsOf(put("a.json", `[${"{},".repeat(9e6)}{}]`))).rejects.toMatchObject({
    code: "input",
    message: "a.json holds more than 16 million values: JSON is read whole.",
    remedy: "Write it as JSON Lines (.jsonl), CSV or Parquet, which are streamed.",
  });
  await expect(rowsOf(put("a.json", "[".repeat(2e5) + "]".repeat(2e5)))).rejects.toMatchObject({
    code: "config",
  });
});

/** A Parquet file of two rows whose footer claims something else. */
async function parquetClaiming(change: (group: RowGroup) => void): Promise<string> {
  const file = path.join(temporaryFolder(), "a.parquet");
  parquetWriteFile({ filename: file, columnData: [{ name: "image", data: ["a", "b"], type: "STRING" }] });
  const { metadata } = await openParquetFile(file);
  change(metadata.row_groups[0]!);
  const bytes = readFileSync(file);
  const footer = new ByteWriter();
  writeMetadata(footer, metadata);
  writeFileSync(
    file,
    Buffer.concat([
      bytes.subarray(0, bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)),
      Buffer.from(footer.getBytes()),
      Buffer.from("PAR1"),
    ]),
  );
  return file;
}

test("a Parquet file is read as far as it holds what it claims, within limits", async () => {
  expect(await rowsOf(await parquetClaiming(() => {}))).toEqual([["image"], ["a"], ["b"]]);
  for (const [change, message] of [
    [
      (group) => (group.num_rows = 10n ** 15n),
      /^a\.parquet has a row group of 10{15} rows; LEAF reads at most 20000000\.$/,
    ],
    [(group) => (group.num_rows = -5n), /negative number of rows/],
    [(group) => (group.num_rows = 1000n), /^a\.parquet cannot be read as Parquet: .+\.$/],
    [
      (group) => (group.columns[0]!.meta_data!.total_uncompressed_size = 8_000_000_000n),
      /^a\.parquet has a column of 8000 MB in one row group; LEAF reads at most 1000 MB\.$/,
    ],
    [(group) => (group.columns = []), /^a\.parquet cannot be read as Parquet: .+\.$/],
  ] as [(group: RowGroup) => unknown, RegExp][])
    await expect(rowsOf(await parquetClaiming(change)), String(message)).rejects.toMatchObject({
      code: "input",
      message: expect.stringMatching(message),
    });
  const footer = Buffer.alloc(100);
  footer.write("PAR1");
  footer.writeUInt32LE(0x7fffffff, 92);
  footer.write("PAR1", 96);
  await expect(rowsOf(put("a.parquet", footer))).rejects.toMatchObject({ code: "input" });
});
