import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { missingRows, type RatingRow } from "../../../src/engine/ratings/merge.ts";
import { mergeRatingFiles } from "../../../src/engine/ratings/mergeFiles.ts";
import { temporaryFolder } from "../../support/pictures.ts";

/** What counts of a row. */
const essence = ({ image, rater, time, rating }: RatingRow) => `${image}|${rater}|${time}|${rating}`;
const sorted = (rows: readonly RatingRow[]) => rows.map(essence).sort();
const row = (image: string, rater: string, time: string, rating: string): RatingRow => ({
  line: 1,
  image,
  rater,
  time,
  rating,
  others: {},
});

const who = fc.record({
  image: fc.constantFrom("a.jpg", "b.jpg", "photos/é.jpg"),
  rater: fc.constantFrom("Ada", "Bo"),
  time: fc.constantFrom("", "2026-05-01T10:00:00Z", "2026-05-02T10:00:00Z"),
});
/** The rating of somebody at a time is one and the same in all files: there is no conflict. */
const agreed = who.map(({ image, rater, time }) =>
  row(image, rater, time, String(1 + ((image.length + rater.length + time.length + time.indexOf("2T")) % 5))),
);
const files = fc.array(fc.array(agreed, { maxLength: 8 }), { minLength: 1, maxLength: 4 });

function merged(all: readonly RatingRow[][], how: "first" | "both" = "first"): RatingRow[] {
  const rows: RatingRow[] = [];
  for (const one of all) rows.push(...missingRows(rows, one, how).rows);
  return rows;
}

/** How often each row stands in a file. */
function counts(rows: readonly RatingRow[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const one of rows.map(essence)) found.set(one, (found.get(one) ?? 0) + 1);
  return found;
}

describe("merging ratings", () => {
  it("loses none and doubles none, in any order and as often as you like", () => {
    fc.assert(
      fc.property(files, (all) => {
        const result = merged(all);
        // As often as in the file that has a row most often.
        for (const [one, times] of counts(result))
          expect(times).toBe(Math.max(...all.map((file) => counts(file).get(one) ?? 0)));
        for (const file of all) {
          expect(missingRows(result, file, "first")).toEqual({ rows: [], conflicts: [] });
          for (const one of file) expect(sorted(result)).toContain(essence(one));
        }
        expect(sorted(merged([...all].reverse()))).toEqual(sorted(result));
        expect(sorted(merged([result, ...all]))).toEqual(sorted(result));
      }),
      { numRuns: 200 },
    );
  });

  it("tells of every rating that is another, and keeps the first or both", () => {
    const rating = fc.constantFrom("1", "2", "3");
    const any = fc.array(
      fc.tuple(who, rating).map(([{ image, rater, time }, value]) => row(image, rater, time, value)),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(any, any, (a, b) => {
        const both = missingRows(a, b, "both");
        const all = new Set(sorted([...a, ...both.rows]));
        for (const one of [...a, ...b]) expect(all).toContain(essence(one));
        const first = missingRows(a, b, "first");
        expect(first.conflicts).toEqual(both.conflicts);
        const keys = new Set(first.conflicts.map((one) => `${one.image}|${one.rater}|${one.time}`));
        // What is missing without a conflict is taken over either way.
        const others = both.rows.filter((one) => !keys.has(`${one.image}|${one.rater}|${one.time}`));
        expect(sorted(first.rows)).toEqual(sorted(others));
      }),
      { numRuns: 200 },
    );
  });

  it("knows an image by the other form of its name, and a time in another zone", () => {
    const known = [row("photos/\u00e9.jpg", "Ada", "2026-05-01T10:00:00.000Z", "4")];
    const same = row(".\\photos\\e\u0301.jpg", "Ada", "2026-05-01T12:00:00+02:00", "4");
    expect(missingRows(known, [same], "first").rows).toEqual([]);
    expect(missingRows(known, [{ ...same, time: "yesterday" }], "first").rows).toHaveLength(1);
  });
});

describe("merging files", () => {
  const folder = () => {
    const root = temporaryFolder();
    const at = (name: string, text?: string) => {
      const file = path.join(root, name);
      if (text !== undefined) writeFileSync(file, text);
      return file;
    };
    return at;
  };
  const ada =
    "image,rating,rater,time\na.jpg,4,Ada,2026-05-01T10:00:00.000Z\nb.jpg,2,Ada,2026-05-01T10:00:05.000Z\n";
  const bo = "who;stars;image;device\n'=Bo;3,5;a.jpg;tv\n";

  it("makes a file of all columns, and takes other separators, decimal commas and names of columns", async () => {
    const at = folder();
    const [one, two, out] = [at("ada.csv", ada), at("bo.csv", bo), at("all.csv")];
    const options = { columns: { score: "stars", rater: "who" } };
    const result = await mergeRatingFiles([one, two], out, options);
    expect(result.merged.map(({ added, known }) => [added, known])).toEqual([
      [2, 0],
      [1, 0],
    ]);
    expect(readFileSync(out, "utf8")).toBe(
      "image,rating,rater,time,device\na.jpg,4,Ada,2026-05-01T10:00:00.000Z,\nb.jpg,2,Ada,2026-05-01T10:00:05.000Z,\na.jpg,3.5,'=Bo,,tv\n",
    );
    const again = await mergeRatingFiles([one, two, out], out, options);
    expect(again.merged.map(({ added }) => added)).toEqual([0, 0, 0]);
  });

  it("adds to a file that is there and leaves its bytes, in its own way of writing", async () => {
    const at = folder();
    const text = "\ufeffrater;image;rating;time\r\nBo;a.jpg;3,5;\r\n";
    const [into, one] = [at("own.csv", text), at("ada.csv", ada.replace(",2,", ",2.5,"))];
    await mergeRatingFiles([one], into);
    expect(readFileSync(into, "utf8")).toBe(
      `${text}Ada;a.jpg;4;2026-05-01T10:00:00.000Z\r\nAda;b.jpg;2,5;2026-05-01T10:00:05.000Z\r\n`,
    );
  });

  it("stops at a rating that is another, and writes nothing until it is said what to do", async () => {
    const at = folder();
    const [into, one] = [at("own.csv", ada), at("late.csv", ada.replace("a.jpg,4", "a.jpg,1"))];
    await expect(mergeRatingFiles([one], into)).rejects.toThrow(
      /differ between the files \(1\)\. First: late\.csv:2: a\.jpg by Ada is 1, and 4 in a file before\.$/,
    );
    expect(readFileSync(into, "utf8")).toBe(ada);
    const first = await mergeRatingFiles([one], into, { onConflict: "first" });
    expect(first.conflicts).toMatchObject([{ file: one, image: "a.jpg", ratings: [["4"], ["1"]] }]);
    expect(readFileSync(into, "utf8")).toBe(ada);
    await mergeRatingFiles([one], into, { onConflict: "both" });
    expect(readFileSync(into, "utf8")).toBe(`${ada}a.jpg,1,Ada,2026-05-01T10:00:00.000Z\n`);
  });

  it("loses no value that finds no column, and no row that cannot be read", async () => {
    const at = folder();
    const into = at("own.csv", "image,rating,rater\nb.jpg,1,Bo\n");
    await expect(mergeRatingFiles([at("ada.csv", ada)], into)).rejects.toThrow("no column for time");
    const torn = at("torn.csv", `${ada}"c.jpg,3,Ada,\n`);
    await expect(mergeRatingFiles([torn], at("new.csv"))).rejects.toThrow("torn.csv:");
    const single = at("mos.csv", "image,mos\na.jpg,3\n");
    await expect(mergeRatingFiles([single], at("new.csv"))).rejects.toThrow("no column with raters");
  });
});
