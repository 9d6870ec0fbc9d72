import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { metricsOfFiles } from "../../../src/engine/dataset/metricsOfFiles.ts";
import { readMos } from "../../../src/engine/dataset/readMos.ts";
import { csvLine, toCsv } from "../../../src/engine/tables/csvText.ts";
import { harmlessCell, plainCell } from "../../../src/engine/tables/formulaCells.ts";
import { makeIndex } from "../../support/imageIndex.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const text = fc.string({ unit: fc.constantFrom(..."=+-@'\t\r\n\"，,;＝＋－＠ax1."), maxLength: 6 });
const runs = /^[=+\-@\t\r\n＝＋－＠]/;

test("no text that is written to CSV is run as a formula, and each comes back", () => {
  fc.assert(
    fc.property(text, (name) => {
      const cell = harmlessCell(name);
      expect(plainCell(cell)).toBe(name);
      if (!/^[+-][\d.]/.test(name)) expect(cell).not.toMatch(runs);
      // What a spreadsheet takes for a cell of its own, with any of the usual separators.
      const [first] = csvLine([name, 1])
        .split("\n")
        .map((line) => line.split(/[;\t]/)[0]);
      if (!/^[+-][\d.]/.test(name)) expect(first).not.toMatch(runs);
    }),
    { numRuns: 2000 },
  );
  expect(csvLine(["=cmd|'/c calc'!A0", -1.5, "-1.5", "+1e3", "-", null])).toBe(
    "'=cmd|'/c calc'!A0,-1.5,-1.5,+1e3,'-,\n",
  );
  expect(csvLine(["a;=1"])).toBe('"a;=1"\n');
});

const names = ["=SUM(A1).png", "+1+1.png", "-x.png", "@home.png", "＝x.png", "'=quoted.png", "a.png"];

test("scores that were exported are matched with their images", async () => {
  const dir = temporaryFolder();
  const predictions = path.join(dir, "scores.csv");
  writeFileSync(
    predictions,
    toCsv(
      ["image", "score"],
      names.map((name, i) => [name, i - 3]),
    ),
  );
  const truth = path.join(dir, "mos.csv");
  writeFileSync(
    truth,
    `image,mos\n${names
      .map((name, i) => `"${name}",${i}`)
      .join("\n")
      .replace("\"'=q", "\"''=q")}\n`,
  );
  const { n, unmatched, srcc } = await metricsOfFiles(predictions, truth, { bootstrap: 0 });
  expect([n, unmatched, srcc]).toEqual([names.length, 0, 1]);
  const index = makeIndex(names.map((name) => `photos/${name}`));
  const mos = await readMos(
    { file: predictions, image: "image", score: "score", range: [-3, 3] },
    index.index,
  );
  expect(names.map((name) => mos.scores.get(index.hashOf(`photos/${name}`)))).toEqual([
    -3, -2, -1, 0, 1, 2, 3,
  ]);
});

test("a name that may mean two images is told, not guessed", async () => {
  const { index } = makeIndex(["p/=a.png", "p/'=a.png"]);
  const file = path.join(temporaryFolder(), "mos.csv");
  writeFileSync(file, "image,mos\n'=a.png,3\n=a.png,4\n''=a.png,5\n");
  const mos = await readMos({ file, image: "image", score: "mos", range: [1, 5] }, index);
  expect(mos.problems).toEqual([
    { kind: "ambiguous", line: 2, message: '"\'=a.png" may be the image of this name or "=a.png".' },
  ]);
  expect([...mos.scores.values()]).toEqual([4, 5]);
});
