import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { plainCell } from "../../../src/engine/tables/formulaCells.ts";
import { toCsv } from "../../../webview/charts/csv.ts";

test("CSV is read back as it was written", () => {
  const cell = fc.oneof(fc.string(), fc.constantFrom('a "quoted", one', "two\nlines"));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
      const csv = toCsv({ columns: ["a", "b"], rows });
      const back = parse(csv, { record_delimiter: "\n" }) as string[][];
      expect(back.map((cells) => cells.map(plainCell))).toEqual([["a", "b"], ...rows]);
    }),
  );
});
