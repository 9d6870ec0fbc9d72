import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readMos } from "../../../src/engine/dataset/readMos.ts";
import { type CsvText, scanCsv, withCell, withRaw, withRecord } from "../../../src/engine/tables/csvEdit.ts";
import { openTable } from "../../../src/engine/tables/table.ts";
import { makeIndex } from "../../support/imageIndex.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const header = ["image", "mos", "note"];
const value = fc.oneof(
  fc.constantFrom(
    "",
    "a.jpg",
    "3.5",
    'say "hi"',
    '"',
    "x,y",
    "x;y",
    "a\tb",
    " padded ",
    "ü€😀",
    "'=1",
    '5" b',
  ),
  fc.constantFrom("two\nlines", "two\r\nlines", "two\rlines", "\n", "\r"),
  fc.string({ maxLength: 6 }),
);
const lineEnd = fc.constantFrom("\n", "\r\n", "\r");

/** A file as many hands may have left it. */
const file = fc
  .record({
    rows: fc.array(
      fc.record({
        cells: fc.array(value, { minLength: 3, maxLength: 3 }),
        end: lineEnd,
        blank: fc.constantFrom("", "", "", "\n", "  \r\n"),
        always: fc.boolean(),
        trailing: fc.boolean(),
        around: fc.constantFrom("", " "),
      }),
      { maxLength: 8 },
    ),
    delimiter: fc.constantFrom(",", ";", "\t"),
    headerEnd: lineEnd,
    last: fc.boolean(),
    encoding: fc.constantFrom("utf8", "bom", "utf16le", "utf16be"),
  })
  .map(({ rows, delimiter, headerEnd, last, encoding }) => {
    const cell = (text: string, always: boolean, around: string) => {
      const bare = !always && !text.includes(delimiter) && !/^\s|\s$|[\r\n]|^"/.test(text);
      return around + (bare ? text : `"${text.replaceAll('"', '""')}"`) + around;
    };
    const lines = rows.map(({ cells, end, blank, always, trailing, around }) => {
      const written = cells.map((one) => cell(one, always, around)).join(delimiter);
      return written + (trailing ? delimiter : "") + end + blank;
    });
    const whole = header.join(delimiter) + headerEnd + lines.join("");
    const text = last ? whole : whole.replace(/(\r\n|\n|\r)$/, "");
    return { rows: rows.map(({ cells }) => cells), text, encoding };
  });

function bytesOf(text: string, encoding: string): Buffer {
  if (encoding === "utf8") return Buffer.from(text);
  if (encoding === "bom") return Buffer.from(`\ufeff${text}`);
  const little = Buffer.from(`\ufeff${text}`, "utf16le");
  return encoding === "utf16le" ? little : little.swap16();
}

/** The rows as the stages read them. */
async function readRows(file: string): Promise<string[][]> {
  const table = await openTable(file);
  expect(table.columns).toEqual(header);
  const rows: string[][] = [];
  for await (const batch of table.batches([0, 1, 2])) rows.push(...batch.map(({ cells }) => cells));
  return rows;
}

const valuesOf = (csv: CsvText) =>
  csv.records.map(({ cells }) => cells.slice(0, 3).map((cell) => cell.value));

test("the reader and the editor see the rows that were written", async () => {
  const place = path.join(temporaryFolder(), "a.csv");
  await fc.assert(
    fc.asyncProperty(file, async ({ rows, text, encoding }) => {
      writeFileSync(place, bytesOf(text, encoding));
      expect(await readRows(place)).toEqual(rows);
      expect(valuesOf(scanCsv(text)!)).toEqual(rows);
    }),
    { numRuns: 400 },
  );
});

test("an edit changes one cell as it is read again and leaves all other bytes; undoing it restores them", async () => {
  const place = path.join(temporaryFolder(), "a.csv");
  await fc.assert(
    fc.asyncProperty(
      file,
      fc.nat(),
      fc.nat(2),
      value,
      async ({ rows, text, encoding }, at, column, changed) => {
        fc.pre(rows.length > 0);
        const csv = scanCsv(text)!;
        const record = csv.records[at % rows.length]!;
        const { start, end } = record.cells[column]!;
        const edited = withCell(csv, record, column, changed);
        expect(edited.startsWith(text.slice(0, start))).toBe(true);
        expect(edited.endsWith(text.slice(end))).toBe(true);
        writeFileSync(place, bytesOf(edited, encoding));
        const wanted = rows.map((cells, i) => (i === at % rows.length ? cells.with(column, changed) : cells));
        expect(await readRows(place)).toEqual(wanted);
        const again = scanCsv(edited)!;
        const cell = again.records[at % rows.length]!.cells[column]!;
        expect(withRaw(again, cell, text.slice(start, end))).toBe(text);
      },
    ),
    { numRuns: 400 },
  );
});

test("a row that is added is read as the last one", async () => {
  const place = path.join(temporaryFolder(), "a.csv");
  const cells = fc.array(value, { minLength: 3, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(file, cells, async ({ rows, text, encoding }, added) => {
      writeFileSync(place, bytesOf(withRecord(scanCsv(text)!, added), encoding));
      expect(await readRows(place)).toEqual([...rows, added]);
    }),
    { numRuns: 200 },
  );
});

const photos = Array.from({ length: 60 }, (_, i) => `photos/i${i}.jpg`);
const source = { image: "image", score: "mos", range: [1, 5] as [number, number] };

test("a file whose first 20 lines end otherwise than the rest has all its scores", async () => {
  const place = path.join(temporaryFolder(), "m.csv");
  for (const ends of [
    ["\r\n", "\n"],
    ["\n", "\r\n"],
    ["\r", "\n"],
    ["\n", "\r"],
  ] as const) {
    const lines = ["image,mos", ...photos.map((_, i) => `i${i}.jpg,${1 + (i % 5)}`)];
    writeFileSync(place, lines.map((line, i) => line + ends[i < 20 ? 0 : 1]).join(""));
    const mos = await readMos({ file: place, ...source }, makeIndex(photos).index);
    expect([mos.scores.size, mos.problems]).toEqual([60, []]);
  }
});

test("of a file with broken rows each is told with its line, and the others count", async () => {
  const place = path.join(temporaryFolder(), "m.csv");
  const rows = ['"i0.jpg"x,1', "i1.jpg,2", 'i2.jpg,"3"4', 'i3" wide.jpg,3', '"i4.jpg","4\n"5,x', "i5.jpg,5"];
  writeFileSync(place, `image,mos\n${rows.join("\n")}\n`);
  const test = makeIndex([...photos, 'photos/i3" wide.jpg']);
  const mos = await readMos({ file: place, ...source }, test.index);
  expect(mos.problems.map(({ kind, line }) => [kind, line])).toEqual([
    ["malformed", 2],
    ["malformed", 4],
    ["malformed", 7],
  ]);
  expect(mos.problems[0]!.message).toBe(
    "Text follows a closing quote: a quote inside a quoted value is written twice.",
  );
  const scores = ["photos/i1.jpg", 'photos/i3" wide.jpg', "photos/i5.jpg"].map((one) =>
    mos.scores.get(test.hashOf(one)),
  );
  expect(scores).toEqual([2, 3, 5]);
  expect([mos.rows, mos.counts.malformed]).toEqual([6, 3]);
  writeFileSync(place, 'image,mos\ni1.jpg,2\n"i2.jpg,3\ni3.jpg,4\n');
  await expect(readMos({ file: place, ...source }, test.index)).rejects.toMatchObject({
    code: "input",
    line: 3,
    message: "m.csv:3: a quote is opened here and never closed.",
  });
});

test("the same rows come out however the text is cut into pieces", async () => {
  const place = path.join(temporaryFolder(), "a.csv");
  // Quoted cells with line breaks of both characters, over the borders of what is read at once.
  const long = Array.from({ length: 400 }, (_, i) => ["a".repeat(i % 7), `${"b\r\n".repeat(i)}"`, String(i)]);
  const text = long
    .map((cells) => cells.map((one) => `"${one.replaceAll('"', '""')}"`).join(","))
    .join("\r\n");
  writeFileSync(place, `image,mos,note\r\n${text}`);
  expect(readFileSync(place).length).toBeGreaterThan(3 * 65_536);
  expect(await readRows(place)).toEqual(long);
});
