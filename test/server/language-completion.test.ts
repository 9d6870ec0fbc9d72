import { copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseConfig } from "../../src/engine/config/read.ts";
import { applied, type Language, startLanguage } from "./languageClient.ts";

let language: Language;
beforeAll(async () => {
  language = await startLanguage();
  const { folder } = language;
  await mkdir(path.join(folder, "photos/good"), { recursive: true });
  await mkdir(path.join(folder, "renders"));
  await mkdir(path.join(folder, ".hidden"));
  await writeFile(path.join(folder, "ratings.csv"), 'name;mean;"a, b"\nx.jpg;3;1\n');
  await writeFile(path.join(folder, "notes.txt"), "no table\n");
});
afterAll(() => language.stop());

const labels = async (text: string) => (await language.complete(text)).items.map(({ label }) => label);

/** The document after accepting a completion and tabbing through it. */
async function accept(text: string, label: string): Promise<string> {
  const { text: plain, items } = await language.complete(text);
  const item = items.find((one) => one.label === label);
  if (!item) throw new Error(`${label} is not among ${items.map((one) => one.label).join(", ")}`);
  return applied(plain, [item.textEdit as { range: never; newText: string }]);
}

const sections = [
  "maxMegapixels",
  "mos",
  "split",
  "teacher",
  "label",
  "student",
  "distill",
  "calibrate",
  "evaluate",
  "python",
];

test("an empty file offers a whole config, which is valid once accepted", async () => {
  expect(await labels("|")).toEqual(["LEAF config", "images", ...sections]);
  expect(parseConfig(await accept("|", "LEAF config"))).toMatchObject({
    ok: true,
    config: { images: "photos", teacher: { kind: "embedded" }, distill: { epochs: 20 } },
  });
});

test("keys that stand there are not offered again", async () => {
  expect(await labels("images: photos\n|")).toEqual(sections);
  expect(await labels("label:\n  seed: 1\n  |\n\nevaluate:\n  split: test\n")).toEqual([
    "pairsPerImage",
    "pairs",
    "minConfidence",
    "check",
    "orders",
    "stopAfterFailures",
    "pauseAtFailures",
    "reasons",
  ]);
  expect(await labels("student: { input: { crop: 224, | } }")).toEqual(["resize", "views", "decode"]);
});

test.each(sections)("section %s is valid as inserted, in lines and in braces", async (section) => {
  const images = "images: photos\n";
  expect(parseConfig(await accept(`${images}${section.slice(0, 2)}|`, section))).toMatchObject({ ok: true });
  const inBraces = await language.complete(`${images}${section}: |`);
  expect(inBraces.items).toHaveLength(1);
  expect(parseConfig(applied(inBraces.text, [inBraces.items[0]!.textEdit as never]))).toMatchObject({
    ok: true,
  });
});

test("keys come with defaults and choices, in lines and in braces", async () => {
  expect(await accept("label:\n  pai|\n  seed: 1\n", "pairsPerImage")).toBe(
    "label:\n  pairsPerImage: 8\n  seed: 1\n",
  );
  expect(await accept("label: { pai| }", "pairsPerImage")).toBe("label: { pairsPerImage: 8 }");
  expect(await accept("label: {|", "minConfidence")).toBe("label: {minConfidence: 0.1");
  expect(await accept("distill:\n  |", "loss")).toBe("distill:\n  loss: { point: 1, pair: 1 }");
  const { items } = await language.complete("label: { | }");
  expect(items.find(({ label }) => label === "pairs")?.textEdit?.newText).toBe(
    "pairs: $" + "{1|random,near,mixed,adaptive|}",
  );
});

test("a key that has its colon is replaced alone", async () => {
  expect(await accept("distil|: { epochs: 3 }", "distill")).toBe("distill: { epochs: 3 }");
  expect(await accept("cal|ibrat:\n  ratio: 0.2\n", "calibrate")).toBe("calibrate:\n  ratio: 0.2\n");
});

test("documentation tells type, default and meaning", async () => {
  const { items } = await language.complete("label: { per| }");
  expect(items.find(({ label }) => label === "pairsPerImage")?.documentation).toEqual({
    kind: "markdown",
    value:
      "**label.pairsPerImage** · whole number from 0 to 1000 · default `8`\n\nWith about how many other images the teacher compares each training image.",
  });
});

test("values: choices, booleans, numbers of a choice, null", async () => {
  expect(await labels("label: { pairs: | }")).toEqual(["random", "near", "mixed", "adaptive"]);
  expect(await labels("label:\n  pairs: n|\n  seed: 1\n")).toEqual(["random", "near", "mixed", "adaptive"]);
  expect(await labels("calibrate:\n  validate: |")).toEqual(["false", "true"]);
  expect(await labels("student: { input: { views: | } }")).toEqual(["whole", "1", "5"]);
  expect(await labels("distill:\n  ema: |")).toEqual(["null"]);
  expect(await labels("teacher: { kind: | }")).toEqual([
    "embedded",
    "clip",
    "openai",
    "transformers",
    "ensemble",
  ]);
  expect(await labels("python:\n  device: c|  # where")).toEqual(["auto", "cpu", "cuda", "mps"]);
  expect(await accept("python:\n  device: c|  # where", "cuda")).toBe("python:\n  device: cuda  # where");
});

test("folders and files that are there", async () => {
  expect(await labels("images: |")).toEqual(["photos", "renders"]);
  expect(await labels("images:\n  - photos\n  - r|\n")).toEqual(["photos", "renders"]);
  expect(await labels("images: [photos, | ]")).toEqual(["photos", "renders"]);
  expect(await labels("images: photos/|")).toEqual(["photos/good"]);
  expect(await accept("images: ['!ph|']", "!photos")).toBe("images: ['!photos']");
  expect(await labels("mos: { file: | }")).toEqual(["photos/", "ratings.csv", "renders/"]);
  expect(await labels("split:\n  file: rat|")).toEqual(["photos/", "ratings.csv", "renders/"]);
});

test("columns of the CSV file, quoted where they must be", async () => {
  expect(await labels("mos: { file: ratings.csv, image: | }")).toEqual(["name", "mean", "a, b", "image"]);
  expect(await labels("split:\n  file: ratings.csv\n  column: |\n")).toEqual([
    "name",
    "mean",
    "a, b",
    "split",
  ]);
  expect(await labels("mos: { file: ratings.csv }\nsplit: { groupBy: | }")).toEqual([
    "name",
    "mean",
    "a, b",
    "null",
  ]);
  expect(await accept("mos: { file: ratings.csv, score: | }", "a, b")).toBe(
    'mos: { file: ratings.csv, score: "a, b" }',
  );
  expect(await accept('mos: { file: ratings.csv, score: "|" }', "mean")).toBe(
    'mos: { file: ratings.csv, score: "mean" }',
  );
  expect(await labels("mos: { file: gone.csv, image: | }")).toEqual(["image"]);
});

test("students by name, and local folders that hold one", async () => {
  const named = [
    "efficientnet-lite0",
    "facebook/convnext-base-224-22k-1k",
    "facebook/convnext-small-224",
    "facebook/convnext-tiny-224",
    "atto",
  ];
  expect(await labels("student: { model: | }")).toEqual(named);
  await writeFile(path.join(language.folder, "renders/config.json"), "{}");
  expect(await labels("student: { model: | }")).toEqual([...named, "renders"]);
});

test("nothing in comments, under unknown keys, and in other files", async () => {
  expect(await labels("# im|")).toEqual([]);
  expect(await labels("images: photos # ph|")).toEqual([]);
  expect(await labels("nothing: |")).toEqual([]);
  expect(await labels("nothing:\n  |")).toEqual([]);
  expect((await language.complete("im|", "other.yaml")).items).toEqual([]);
  expect((await language.complete("im|", "renders.leaf.yaml")).items.length).toBeGreaterThan(5);
});

test("no key where its indentation would be wrong", async () => {
  expect(await labels("label:\n  seed: 1\n |\n")).toEqual([]);
  expect(await labels("label:\n    seed: 1\n  |\n")).toEqual([]);
  expect(await labels("images: photos\n  |\n")).toEqual([]);
  expect(await labels("label:\n    seed: 1\n    pa|\nevaluate: {}\n")).toEqual([
    "pairsPerImage",
    "pairs",
    "minConfidence",
    "check",
    "orders",
    "stopAfterFailures",
    "pauseAtFailures",
    "reasons",
  ]);
});

test("a comment that names another schema changes nothing, and nothing is fetched", async () => {
  const modeline = "# yaml-language-server: $schema=http://127.0.0.1:9/schema.json\n";
  expect(await labels(`${modeline}label:\n  |`)).toEqual([
    "pairsPerImage",
    "pairs",
    "minConfidence",
    "seed",
    "check",
    "orders",
    "stopAfterFailures",
    "pauseAtFailures",
    "reasons",
  ]);
});

test("formats are offered, and the columns of files that are no CSV", async () => {
  const offered = await labels("mos: { file: x.csv, format: | }");
  expect(offered).toEqual(
    expect.arrayContaining(["columns", "koniq10k", "spaq", "kadid10k", "csiq", "tid2013"]),
  );
  const parquet = path.resolve("test/fixtures/datasets/zstd.parquet");
  await copyFile(parquet, path.join(language.folder, "photos/scores.parquet"));
  expect(await labels("mos: { file: photos/| }")).toEqual(["photos/good/", "photos/scores.parquet"]);
  const columns = ["image", "score", "std", "votes", "scene"];
  expect(await labels("mos: { file: photos/scores.parquet, std: | }")).toEqual(columns);
  expect(await accept("images: a\nmos: { file: x.csv, format: | }", "csiq")).toContain("format: csiq");
});
