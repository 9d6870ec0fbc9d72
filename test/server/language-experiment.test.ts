import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { JobSnapshot } from "../../src/protocol/jobs.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { applied, type Language, startLanguage } from "./languageClient.ts";

const name = "x.experiment.yaml";
let language: Language;
beforeEach(async () => {
  language = await startLanguage();
  writeFileSync(path.join(language.folder, "leaf.yaml"), "images: photos\nmos: { file: mos.csv }\n");
});
afterEach(() => language.stop());

/** Each diagnostic as the text it marks and what it says. */
async function told(text: string): Promise<[string, string][]> {
  const document = TextDocument.create("", "", 0, text);
  return (await language.diagnostics(text, name)).map(({ range, message }) => [
    document.getText(range),
    String(message),
  ]);
}
async function labels(text: string): Promise<string[]> {
  return (await language.complete(text, name)).items.map(({ label }) => label);
}

test("overrides are judged by leaf.yaml's schema, over the text that is wrong", async () => {
  expect(await told("arms:\n  a: { distill.loss.pair: 0 }\nmatrix: { calibrate.ratio: [0, 1] }\n")).toEqual(
    [],
  );
  expect(
    await told(
      "arm: {}\narms:\n  a: { distil.loss.pair: 0 }\n  b: { student: { model: 3 } }\nmatrix: { calibrate.ratio: [0.1, 2] }\n",
    ),
  ).toEqual([["arm", "unknown key `arm`, did you mean `arms`?"]]);
  expect(
    await told(
      "arms:\n  a: { distil.loss.pair: 0 }\n  b: { student: { model: 3 } }\nmatrix: { calibrate.ratio: [0.1, 2] }\n",
    ),
  ).toEqual([
    ["distil.loss.pair", "unknown key `distil`, did you mean `distill`?"],
    ["3", "`student.model`: must be a string, not 3"],
    ["2", "`calibrate.ratio`: must be <=1"],
  ]);
});

test("the base as the editor shows it counts; while it is wrong, overrides are not judged", async () => {
  const text = "base: my.leaf.yaml\narms: { a: { split.val: 0.5 } }\n";
  await language.write("images: photos\nsplit: { test: 0.6 }\n", "my.leaf.yaml");
  expect(await told(text)).toEqual([
    ["0.5", "`split`: `test` and `val` together must leave images to train on"],
  ]);
  await language.write("images: photos\nsplit: { tests: 0.6 }\n", "my.leaf.yaml");
  expect(await told(`${text}# again\n`)).toEqual([]);
});

test("fixes: the meant key whole, the row to compare with", async () => {
  const fixed = async (text: string) => {
    const [first] = await language.diagnostics(text, name);
    const actions = await language.actions(first!.range, name);
    return Object.fromEntries(
      actions.map(({ title, edit }) => [title, applied(text, edit?.changes?.[language.uri(name)] ?? [])]),
    );
  };
  expect(await fixed("arms:\n  a: { distil.loss.pair: 0 }\n")).toEqual({
    "Rename to `distill.loss.pair`": "arms:\n  a: { distill.loss.pair: 0 }\n",
    "Remove `distil.loss.pair`": "arms:\n  a: {  }\n",
  });
  expect(await fixed("arms: { joint: {} }\ncompare: jiont\n")).toEqual({
    "Use joint": "arms: { joint: {} }\ncompare: joint\n",
  });
});

test("completion: presets and keys in an empty file, dotted keys and values of leaf.yaml in it", async () => {
  const empty = await labels("|");
  expect(empty).toEqual(
    expect.arrayContaining(["components experiment", "ratio experiment", "arms", "seeds"]),
  );
  const matrix = await labels("matrix:\n  |\n");
  expect(matrix).toEqual(
    expect.arrayContaining(["calibrate.ratio", "distill.loss.pair", "label.pairsPerImage"]),
  );
  // What the seeds set, and sections, are no keys of a matrix.
  expect(matrix.filter((key) => ["distill.seed", "calibrate.seed", "distill", "arms"].includes(key))).toEqual(
    [],
  );
  expect(await labels("arms:\n  a:\n    |\n")).toEqual(
    expect.arrayContaining(["stage", "teacher", "distill.epochs"]),
  );
  expect(await labels("arms:\n  a:\n    distill:\n      |\n")).toEqual(
    expect.arrayContaining(["epochs", "loss"]),
  );
  expect(await labels("arms:\n  a: { distill.keep: | }\n")).toEqual(["auto", "best", "last"]);
  expect(await labels("arms:\n  a: { stage: | }\n")).toEqual(["calibrate", "teacher", "distill"]);
  expect(await labels("stage: |\n")).toEqual(["calibrate", "teacher", "distill"]);
  expect(await labels("arms: { one: {}, two: {} }\ncompare: |\n")).toEqual(["one", "two"]);
  expect(await labels("base: |\n")).toEqual(["leaf.yaml"]);
});

test("a chosen preset is an experiment without a fault", async () => {
  const { text, items } = await language.complete("|", name);
  const preset = items.find(({ label }) => label === "components experiment")!;
  const edit = preset.textEdit as { range: never; newText: string };
  const document = TextDocument.create("", "", 0, text);
  expect(await told(TextDocument.applyEdits(document, [edit]))).toEqual([]);
});

test("hover: its own keys, and those of leaf.yaml in an arm and in the matrix", async () => {
  const hovered = async (text: string) =>
    ((await language.hover(text, name))?.contents as { value: string } | undefined)?.value;
  expect(await hovered("se|eds: [0]\n")).toContain("**seeds**");
  expect(await hovered("arms:\n  a: { distill.loss.pa|ir: 0 }\n")).toContain("**distill.loss.pair**");
  expect(await hovered("matrix:\n  calibrate.rat|io: [0]\n")).toContain("**calibrate.ratio**");
  expect(await hovered("arms:\n  a: { sta|ge: teacher }\n")).toContain("**stage**");
});

test("lenses: run, how far, the table, and stop while it runs", async () => {
  const text = "arms: { a: {}, b: {} }\nseeds: [0, 1]\n";
  writeFileSync(path.join(language.folder, name), text);
  await language.write(text, name);
  const shown = async () =>
    ((await language.lenses(name)) ?? []).map(({ command }) => [
      command!.title,
      command!.command,
      command!.arguments?.[0],
    ]);
  expect(await shown()).toEqual([
    ["$(play) Run experiment · 0 of 4 done", "leaf.runExperiment", language.uri(name)],
  ]);
  const folder = path.join(language.folder, ".leaf", "experiments", "x");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    path.join(folder, "result.json"),
    JSON.stringify({
      v: 1,
      name: "x",
      file: name,
      base: "leaf.yaml",
      key: "of another file",
      updated: "2030-01-01T00:00:00.000Z",
      stage: "calibrate",
      seeds: [0, 1],
      resplit: false,
      report: ["srcc"],
      compare: null,
      bootstrap: 1000,
      done: 3,
      failed: 1,
      total: 4,
      arms: [],
      paper: null,
    }),
  );
  expect(await shown()).toEqual([
    ["$(play) Run experiment · 0 of 4 done, the file has changed", "leaf.runExperiment", language.uri(name)],
    ["Show table", "leaf.showExperiment", language.uri(name)],
  ]);
  const job = {
    kind: "experiment",
    config: language.uri(),
    experiment: language.uri(name),
    state: "running",
    progress: {
      step: "a, seed 0: epoch 1 of 2",
      done: 1,
      total: 2,
      secondsLeft: null,
      overall: { done: 1, total: 4 },
    },
  } as JobSnapshot;
  language.world.snapshot = { job } as ProjectSnapshot;
  expect(await shown()).toEqual([
    ["$(debug-stop) Stop · 1 of 4 done · a, seed 0: epoch 1 of 2 · 50 %", "leaf.stop", language.uri()],
    ["Show table", "leaf.showExperiment", language.uri(name)],
  ]);
  writeFileSync(path.join(language.folder, name), "arms: 3\n");
  language.world.snapshot = undefined;
  expect((await shown())[0]![0]).toMatch(/^\$\(warning\) x\.experiment\.yaml:1:7: /);
});
