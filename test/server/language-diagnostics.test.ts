import { afterEach, beforeEach, expect, test } from "vitest";
import { DiagnosticSeverity } from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parseConfig } from "../../src/engine/config/read.ts";
import { applied, type Language, startLanguage } from "./languageClient.ts";

let language: Language;
beforeEach(async () => {
  language = await startLanguage();
});
afterEach(() => language.stop());

/** Each diagnostic as the text it marks and what it says. */
async function told(text: string): Promise<[string, string][]> {
  const document = TextDocument.create("", "", 0, text);
  return (await language.diagnostics(text)).map(({ range, message, source }) => {
    expect(source).toBe("leaf");
    return [document.getText(range), String(message)];
  });
}

/** Titles of the fixes of the first problem, and the text after each. */
async function fixes(text: string): Promise<Record<string, string>> {
  const [first] = await language.diagnostics(text);
  const actions = await language.actions(first!.range);
  return Object.fromEntries(
    actions.map(({ title, edit }) => [title, applied(text, edit?.changes?.[language.uri()] ?? [])]),
  );
}

test("a right config has none", async () => {
  expect(await told("images: photos\nlabel: { seed: 1 }\n")).toEqual([]);
});

test("every fault once, over the text that is wrong", async () => {
  expect(
    await told(
      "images: photos\nlabel:\n  pairPerImage: 3\nsplit: { test: 2, seed: x }\nteacher: { kind: openai }\n",
    ),
  ).toEqual([
    ["pairPerImage", "unknown key `label.pairPerImage`, did you mean `pairsPerImage`?"],
    ["2", "`split.test`: must be <=0.9"],
    ["x", '`split.seed`: must be a number, not "x"'],
    ["teacher", "`teacher`: takes either `endpoint` or `serve`"],
  ]);
});

test("what is missing is told at the section, at the first line if there is none", async () => {
  expect(await told("label: {}\n")).toEqual([["label: {}", "`images` is missing"]]);
  expect(await told("images: photos\nmos: { image: name }\n")).toEqual([["mos", "`mos.file` is missing"]]);
  expect(await told("")).toEqual([["", "`images` is missing"]]);
});

test("a rule over several keys is told at their section", async () => {
  expect(await told("images: photos\nsplit:\n  test: 0.6\n  val: 0.4\n")).toEqual([
    ["split", "`split`: `test` and `val` together must leave images to train on"],
  ]);
});

test("a glob whose braces would fill the memory is marked, and the server goes on", async () => {
  const bomb = "{1..1000}{1..1000}{1..1000}.jpg";
  for (const text of [`images: "${bomb}"\n`, `images:\n  - photos\n  - "${bomb}"\n`]) {
    expect(await told(text)).toEqual([
      [
        `"${bomb}"`,
        expect.stringMatching(
          /^`images(\.1)?`: the braces stand for over a thousand million patterns: 2000 are the most$/,
        ),
      ],
    ]);
  }
  expect(await told("images: photos\n")).toEqual([]);
});

test("one fault of syntax is one diagnostic", async () => {
  expect(await told("images: photos\nlabel: { seed: 1\ndistill:\n  epochs: 3\n")).toHaveLength(1);
  expect(await told("images: 'photos\nlabel: {}\n")).toHaveLength(1);
  expect(await told("images: photos\nlabel:\n\tseed: 1\n")).toEqual([
    [expect.anything(), "indent with spaces, not with a tab"],
  ]);
  expect(await told("images: a\nlabel: {}\nimages: b\n")).toEqual([
    ["images", "`images` is written twice in this section"],
  ]);
});

test("problems of the data stand at their key, or the nearest above, and not where the text is wrong", async () => {
  language.world.facts = [
    { path: ["images"], message: "There is no image in here.", severity: "error", code: "noImages" },
    { path: ["evaluate", "split"], message: "Few ratings.", severity: "warning", code: "noTestImages" },
    { path: ["student"], message: "No Python.", severity: "info", code: "environment" },
  ];
  const text = "images: photos\nevaluate:\n  bootstrap: 10\n";
  const found = await language.diagnostics(text);
  const document = TextDocument.create("", "", 0, text);
  expect(found.map((one) => [document.getText(one.range), one.message, one.severity, one.code])).toEqual([
    ["images: photos", "No Python.", DiagnosticSeverity.Information, "environment"],
    ["photos", "There is no image in here.", DiagnosticSeverity.Error, "noImages"],
    ["evaluate", "Few ratings.", DiagnosticSeverity.Warning, "noTestImages"],
  ]);
  expect(await told("images: 3\nevaluate: { split: test }\nstudent: { model: atto }\n")).toEqual([
    ["3", "`images`: has the wrong type (3)"],
    ["test", "Few ratings."],
    ["student", "No Python."],
  ]);
});

test("they follow the data while nobody types, carry the version, and go when the file is closed", async () => {
  expect(await language.diagnostics("images: photos\n")).toEqual([]);
  language.world.facts = [{ path: ["images"], message: "Empty.", severity: "error", code: "noImages" }];
  language.tell();
  await expect
    .poll(() => language.published.at(-1)?.diagnostics.map(({ message }) => message))
    .toEqual(["Empty."]);
  expect(language.published.at(-1)?.version).toBe(1);
  const before = language.published.length;
  language.tell();
  await language.close();
  await expect.poll(() => language.published.length).toBe(before + 1);
  expect(language.published.at(-1)?.diagnostics).toEqual([]);
});

test("typing is waited out: one message for many changes", async () => {
  for (const text of ["i", "im", "ima", "images", "images: photos"]) await language.write(text);
  await language.diagnostics();
  expect(language.published.map(({ version }) => version)).toEqual([5]);
});

test("other YAML files are let alone", async () => {
  await language.write("x: [", "other.yaml");
  await language.diagnostics("images: photos\n");
  expect(language.published.map(({ uri }) => uri)).toEqual([language.uri()]);
});

test("fixes: the key that was meant, or none", async () => {
  const text = "images: photos\ndistill:\n  epoch: 3  # short\n  batch: 8\n";
  expect(await fixes(text)).toEqual({
    "Rename to `epochs`": "images: photos\ndistill:\n  epochs: 3  # short\n  batch: 8\n",
    "Remove `epoch`": "images: photos\ndistill:\n  batch: 8\n",
  });
  expect((await fixes("images: photos\nlabel: { seed: 1, foo: 2 }\n"))["Remove `foo`"]).toBe(
    "images: photos\nlabel: { seed: 1 }\n",
  );
  expect((await fixes("images: photos\nlabel: { foo: 2, seed: 1 }\n"))["Remove `foo`"]).toBe(
    "images: photos\nlabel: { seed: 1 }\n",
  );
  expect((await fixes("images: photos\nlabel:\n  foo:\n    - 1\n    - 2\n"))["Remove `foo`"]).toBe(
    "images: photos\nlabel: {}\n",
  );
  expect((await fixes("images: photos\nfoo: 1"))["Remove `foo`"]).toBe("images: photos\n");
});

test.each([
  ["distill: { epochs: '20' }", "Use 20", "distill: { epochs: 20 }"],
  ["split: { test: -1 }", "Use 0", "split: { test: 0 }"],
  ["label:\n  pairsPerImage: -3 # few", "Use 0", "label:\n  pairsPerImage: 0 # few"],
  ["distill: { epochs: 2.6 }", "Use 3", "distill: { epochs: 3 }"],
  // That of the default student's family, and of another's.
  ["distill: { lr: { head: 0 } }", "Use 0.0005", "distill: { lr: { head: 0.0005 } }"],
  [
    "student: { model: efficientnet-lite0 }\ndistill: { lr: { head: 0 } }",
    "Use 0.003",
    "student: { model: efficientnet-lite0 }\ndistill: { lr: { head: 0.003 } }",
  ],
  ["label: { pairs: neer }", "Use near", "label: { pairs: near }"],
  ["calibrate: { validate: yes }", "Use true", "calibrate: { validate: true }"],
  ["calibrate: { validate: 'off' }", "Use false", "calibrate: { validate: false }"],
  ["student: { input: { views: 3 } }", "Use 1", "student: { input: { views: 1 } }"],
  [
    "student: { input: { views: 1, resize: 5000 } }",
    "Use 4096",
    "student: { input: { views: 1, resize: 4096 } }",
  ],
  ["distill: { ema: '0.9' }", "Use 0.9", "distill: { ema: 0.9 }"],
  ["label:\n  pairs:\n  seed: 1", "Use random", "label:\n  pairs: random\n  seed: 1"],
  ["mos: {}", "Add `file`", "mos: { file: mos.csv }"],
  ["mos:\n  image: name", "Add `file`", "mos:\n  file: mos.csv\n  image: name"],
])("fix of %s: %s", async (wrong, title, right) => {
  const text = `images: photos\n${wrong}\n`;
  const offered = await fixes(text);
  expect(offered[title]).toBe(`images: photos\n${right}\n`);
  expect(parseConfig(offered[title]!)).toMatchObject({ ok: true });
});

test("fix of a config without images", async () => {
  expect(await fixes("label: { seed: 1 }\n")).toEqual({
    "Add `images`": "images: photos\nlabel: { seed: 1 }\n",
  });
  expect(await fixes("")).toEqual({ "Add `images`": "images: photos\n" });
});

test("fixes of data: a value written into its section, or a command", async () => {
  language.world.facts = [
    {
      path: ["calibrate", "ratio"],
      message: "Too few.",
      severity: "error",
      code: "noCalibrationImages",
      fix: { title: "Use ratio 0.2", kind: "replace", path: ["calibrate", "ratio"], value: 0.2 },
    },
  ];
  expect(await fixes("images: photos\ncalibrate:\n  epochs: 3\n")).toEqual({
    "Use ratio 0.2": "images: photos\ncalibrate:\n  ratio: 0.2\n  epochs: 3\n",
  });
  expect(await fixes("images: photos\n")).toEqual({
    "Use ratio 0.2": "images: photos\ncalibrate:\n  ratio: 0.2\n",
  });
  expect(await fixes("images: photos\ncalibrate: { ratio: 0 }\n")).toEqual({
    "Use ratio 0.2": "images: photos\ncalibrate: { ratio: 0.2 }\n",
  });
  language.world.facts[0]!.fix = {
    title: "Rate images",
    kind: "command",
    command: "leaf.rateImages",
    arguments: ["u"],
  };
  await language.diagnostics("images: photos\n");
  const whole = { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } };
  const [action] = await language.actions(whole);
  expect(action?.command).toEqual({ title: "Rate images", command: "leaf.rateImages", arguments: ["u"] });
  expect(action?.diagnostics?.[0]?.message).toBe("Too few.");
});

test("no fix is offered away from the problem", async () => {
  await language.diagnostics("images: photos\nlabel: { foo: 1 }\n");
  const top = { start: { line: 0, character: 0 }, end: { line: 0, character: 3 } };
  expect(await language.actions(top)).toEqual([]);
});
