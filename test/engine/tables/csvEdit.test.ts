import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CsvText,
  scanCsv,
  withCell,
  withoutRecord,
  withRecord,
} from "../../../src/engine/tables/csvEdit.ts";

const value = fc.oneof(
  fc.constantFrom(
    "",
    "a.jpg",
    "3.5",
    'say "hi"',
    "x,y",
    "x;y",
    "a\tb",
    "two\nlines",
    "two\r\nlines",
    " padded ",
    "ü",
  ),
  fc.string({ maxLength: 6 }),
);

const file = fc
  .record({
    rows: fc.array(fc.array(value, { minLength: 3, maxLength: 3 }), { maxLength: 6 }),
    delimiter: fc.constantFrom(",", ";", "\t"),
    lineEnd: fc.constantFrom("\n", "\r\n"),
    bom: fc.boolean(),
    last: fc.boolean(),
    always: fc.boolean(),
  })
  .map(({ rows, delimiter, lineEnd, bom, last, always }) => {
    const cell = (text: string) =>
      always || text.includes(delimiter) || /["\r\n]|^\s|\s$/.test(text)
        ? `"${text.replaceAll('"', '""')}"`
        : text;
    const header = ["image", "mos", "note"];
    const lines = [header, ...rows].map((row) => row.map(cell).join(delimiter));
    return { rows, text: (bom ? "\ufeff" : "") + lines.join(lineEnd) + (last ? lineEnd : "") };
  });

const valuesOf = (csv: CsvText) => csv.records.map((record) => record.cells.map((cell) => cell.value));

describe("editing CSV", () => {
  it("reads every cell as the parser of the stages does", () => {
    fc.assert(
      fc.property(file, ({ text, rows }) => {
        const csv = scanCsv(text)!;
        expect(csv.header.map((cell) => cell.value)).toEqual(["image", "mos", "note"]);
        expect(valuesOf(csv)).toEqual(rows);
        const { delimiter } = csv;
        expect(valuesOf(csv)).toEqual(
          parse(text, { bom: true, delimiter, trim: true, relax_column_count: true, from: 2 }),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("changes one cell and leaves all else byte for byte", () => {
    fc.assert(
      fc.property(file, fc.nat(), fc.nat(2), value, ({ text, rows }, at, column, changed) => {
        fc.pre(rows.length > 0);
        const csv = scanCsv(text)!;
        const row = at % rows.length;
        const record = csv.records[row]!;
        const edited = withCell(csv, record, column, changed);
        const { start, end } = record.cells[column]!;
        expect(edited.startsWith(text.slice(0, start))).toBe(true);
        expect(edited.endsWith(text.slice(end))).toBe(true);
        const wanted = rows.map((cells, i) => (i === row ? cells.with(column, changed) : cells));
        expect(valuesOf(scanCsv(edited)!)).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  it("adds a record and takes it away again", () => {
    fc.assert(
      fc.property(file, fc.array(value, { minLength: 3, maxLength: 3 }), ({ text, rows }, added) => {
        const csv = scanCsv(text)!;
        const longer = withRecord(csv, added);
        expect(longer.startsWith(text)).toBe(true);
        const edited = scanCsv(longer)!;
        expect(valuesOf(edited)).toEqual([...rows, added]);
        expect(withoutRecord(edited, edited.records.at(-1)!)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it("takes a record out of the middle, passes over empty lines, and makes missing cells", () => {
    const csv = scanCsv("image,mos,note\n\na,1\nb,2,x\n\nc\n")!;
    expect(valuesOf(csv)).toEqual([["a", "1"], ["b", "2", "x"], ["c"]]);
    expect(withoutRecord(csv, csv.records[1]!)).toBe("image,mos,note\n\na,1\n\nc\n");
    expect(withCell(csv, csv.records[2]!, 2, "n")).toBe("image,mos,note\n\na,1\nb,2,x\n\nc,,n\n");
    expect(scanCsv("")).toBeUndefined();
    expect(scanCsv("\ufeff\n")).toBeUndefined();
  });
});
