import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { LeafError } from "../../src/engine/base/errors.ts";
import { readMos } from "../../src/engine/dataset/readMos.ts";
import { openTable } from "../../src/engine/tables/table.ts";
import { makeIndex } from "../support/imageIndex.ts";
import { mutated, mutatedText } from "./support/mutate.ts";
import { pick, temporaryFolder, trials, within } from "./support/trials.ts";

// Damaged tables of every container: rows, problems with their line, or one sentence.

const names = Array.from({ length: 30 }, (_, i) => `photos/img_${i}.png`);
const csv = `image,mos,std\r\n${names.map((name, i) => `"${name}",${1 + (i % 5)},0.${i}`).join("\r\n")}\n`;
const json = JSON.stringify(
  names.map((image, i) => ({ image, mos: i % 5, std: 0.5, nested: { deep: [i] } })),
);
const jsonLines = names.map((image, i) => JSON.stringify({ image, mos: i % 5 })).join("\n");
const texts: Record<string, string> = {
  "mos.csv": csv,
  "mos.tsv": csv.replaceAll(",", "\t"),
  "semicolon.csv": csv.replaceAll(",", ";").replaceAll(".", ","),
  "mos.json": json,
  "mos.jsonl": jsonLines,
};
const fixtures = path.resolve("test/fixtures/datasets");
const binaries = [
  "csiq.DMOS.xlsx",
  "none.parquet",
  "snappy.parquet",
  "gzip.parquet",
  "zstd.parquet",
  "lz4.parquet",
];

async function read(file: string): Promise<void> {
  const { index } = makeIndex(names);
  try {
    const table = await openTable(file);
    for await (const rows of table.batches(table.columns.map((_, i) => i)))
      for (const row of rows) expect(row.cells.every((cell) => typeof cell === "string")).toBe(true);
    const [image = "", score = ""] = table.columns;
    const mos = await readMos({ file, image, score, range: [0, 5] }, index);
    for (const value of mos.scores.values()) expect(value >= 0 && value <= 5).toBe(true);
    for (const { line, message } of mos.problems)
      expect([line > 0, message.includes("\n")]).toEqual([true, false]);
  } catch (error) {
    if (!(error instanceof LeafError)) throw error;
    expect(["config", "input", "failed"]).toContain(error.code);
    expect(error.message).not.toContain("\n");
  }
}

test("a damaged text table is rows, problems, or one sentence", { timeout: 3_600_000 }, async () => {
  const dir = temporaryFolder();
  await trials("text tables", 1200, async (random, keep) => {
    const name = pick(random, Object.keys(texts));
    const text = mutatedText(random, texts[name]!);
    const bytes = random() < 0.2 ? mutated(random, Buffer.from(text)) : Buffer.from(text);
    keep(bytes);
    writeFileSync(path.join(dir, name), bytes);
    await within(20, read(path.join(dir, name)));
  });
});

test("a damaged workbook or Parquet file is rows or one sentence", { timeout: 3_600_000 }, async () => {
  const dir = temporaryFolder();
  await trials("binary tables", 500, async (random, keep) => {
    const name = pick(random, binaries);
    const bytes = mutated(random, readFileSync(path.join(fixtures, name)));
    keep(bytes);
    writeFileSync(path.join(dir, name), bytes);
    await within(20, read(path.join(dir, name)));
  });
});
