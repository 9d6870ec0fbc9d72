import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MarkupContent } from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { URI } from "vscode-uri";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { alternatives, schemasAt } from "../../src/server/language/schema.ts";
import { type Language, startLanguage } from "./languageClient.ts";

let language: Language;
beforeAll(async () => {
  language = await startLanguage();
});
afterAll(() => language.stop());

const hover = async (text: string) =>
  ((await language.hover(text))?.contents as MarkupContent | undefined)?.value;

test("hover on a key and on its value: meaning, type, bounds, default", async () => {
  const epochs =
    "**distill.epochs** · whole number from 1 to 10000 · default `20`\n\nPasses over the training images.";
  expect(await hover("distill:\n  ep|ochs: 3\n")).toBe(epochs);
  expect(await hover("distill:\n  epochs: |3\n")).toBe(epochs);
  expect(await hover("distill: { epochs: 3| }\n")).toBe(epochs);
  const found = await language.hover("distill:\n  ep|ochs: 3\n");
  expect(found?.range).toEqual({ start: { line: 1, character: 2 }, end: { line: 1, character: 8 } });
});

test("hover on choices, lists, sections and alternatives", async () => {
  expect(await hover("label: { pa|irs: near }")).toContain(
    "`random` | `near` | `mixed` | `adaptive` · default `random`",
  );
  expect(await hover("calibrate: { vali|date: true }")).toContain("`true` | `false` · default `false`");
  expect(await hover("mos: { ra|nge: [0, 10] }")).toContain("list of 2 numbers · default `[1, 5]`");
  expect(await hover("student: { input: { res|ize: 3 } }")).toContain(
    "whole number from 16 to 4096 or `null` · default `384`",
  );
  expect(await hover("student: { input: { vi|ews: 5 } }")).toContain("`whole` | `1` | `5` · default `whole`");
  // What suits the student that the document names.
  const lite = "student: { model: efficientnet-lite0 }\n";
  expect(await hover("distill: { lr: { back|bone: 1 } }")).toContain("default `0.00005`");
  expect(await hover(`${lite}distill: { lr: { back|bone: 1 } }`)).toContain("default `0.001`");
  expect(await hover(`${lite}calibrate: { from: backbone, ep|ochs: 1 }`)).toContain("default `40`");
  expect(await hover(`${lite}distill: { em|a: 0.9 }`)).toContain("default `null`");
  expect(await hover("distill:\n  l|r: {}")).toContain(
    "**distill.lr** · section\n\nPeak learning rates. The default depends on the student's family.\n\nKeys: `backbone`, `head`",
  );
  expect(await hover("spl|it: {}")).toContain(
    "Keys: `test`, `val`, `groupBy`, `similar`, `seed`, `file`, `image`, `column`",
  );
});

test("hover tells what is known of the data", async () => {
  language.world.snapshot = {
    images: { files: 4010, usable: 4000, failed: 10 },
    mos: { file: "mos.csv", rated: 1200, train: 900, val: 100, test: 200, range: [1, 5] },
  } as ProjectSnapshot;
  expect(await hover("ima|ges: photos")).toContain("---\n4,000 images, 10 of 4,010 files cannot be read");
  expect(await hover("mos: { fi|le: mos.csv }")).toContain(
    "---\n1,200 images have a MOS: 900 train · 100 val · 200 test",
  );
  language.world.snapshot = undefined;
});

test("no hover on unknown keys, comments and blanks", async () => {
  expect(await language.hover("what|: 1")).toBeNull();
  expect(await language.hover("images: x # ima|ges")).toBeNull();
  expect(await language.hover("|\n\nimages: x")).toBeNull();
});

test("every key of the schema has a type and can be described", () => {
  const keysAt = (at: string[]) => [
    ...new Set(
      schemasAt(at)
        .flatMap(alternatives)
        .flatMap((node) => Object.keys(node.properties ?? {})),
    ),
  ];
  const visit = (at: string[]): string[] =>
    keysAt(at).flatMap((key) => [[...at, key].join("."), ...visit([...at, key])]);
  const all = visit([]);
  expect(all.length).toBeGreaterThan(50);
  expect(all).toContain("split.groupBy.pattern");
  for (const key of all) expect(schemasAt(key.split(".")), key).not.toEqual([]);
});

test("links lead to what is there, and only to that", async () => {
  const { folder } = language;
  await mkdir(path.join(folder, "my photos/raw"), { recursive: true });
  await writeFile(path.join(folder, "mos.csv"), "image,mos\n");
  await writeFile(path.join(folder, "python"), "");
  const text = `images:
  - my photos
  - "my photos/raw/*.png"
  - '!gone/**'
  - nowhere
mos: { file: mos.csv }
split: { file: split.csv }
student: { model: "./my photos" }
python: { interpreter: python }
`;
  await language.write(text);
  const document = TextDocument.create("", "", 0, text);
  const links = await language.links();
  expect(links.map(({ range, target }) => [document.getText(range), target])).toEqual(
    [
      ["my photos", "my photos"],
      ['"my photos/raw/*.png"', "my photos/raw"],
      ["mos.csv", "mos.csv"],
      ['"./my photos"', "my photos"],
      ["python", "python"],
    ].map(([word, target]) => [word, URI.file(path.join(folder, target!)).toString()]),
  );
});

test("a glob at the top links to the folder, a hub name to nothing", async () => {
  await language.write("images: '*.png'\nstudent: { model: facebook/convnext-base-224 }\n");
  const links = await language.links();
  expect(links.map(({ target }) => target)).toEqual([URI.file(language.folder).toString()]);
});

test("symbols and folding", async () => {
  await language.write("images: photos\nlabel:\n  seed: 0\n  pairs: near\n");
  const symbols = await language.symbols();
  expect(symbols.map(({ name, children }) => [name, children?.map((one) => one.name)])).toEqual([
    ["images", []],
    ["label", ["seed", "pairs"]],
  ]);
  expect(await language.folding()).toMatchObject([{ startLine: 1, endLine: 3 }]);
});
