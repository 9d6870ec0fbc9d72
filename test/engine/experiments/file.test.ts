import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { configValue, expand } from "../../../src/engine/experiments/expand.ts";
import {
  experimentName,
  isExperimentFile,
  openExperiment,
  parseExperiment,
} from "../../../src/engine/experiments/file.ts";
import { locate, merged, nested } from "../../../src/engine/experiments/overrides.ts";
import { initExperiment, presetNames, presetText } from "../../../src/engine/experiments/presets.ts";
import { experimentSchema } from "../../../src/engine/experiments/schema.ts";

const dir = mkdtempSync(path.join(tmpdir(), "leaf-experiment-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const base = { images: "photos", mos: { file: "mos.csv" }, distill: { epochs: 3, loss: { point: 1 } } };

/** Each problem as "line:column: message". */
function problems(text: string, value: unknown = base): string[] {
  const parsed = parseExperiment(text, value);
  return parsed.ok ? [] : parsed.problems.map((one) => `${one.line}:${one.column}: ${one.message}`);
}

test("arms times matrix, in the order they are written, each against the baseline of its own column", () => {
  const parsed = parseExperiment(
    "arms:\n  a: { distill.loss.pair: 0 }\n  b:\nmatrix: { calibrate.ratio: [0.1, 0.3], label.seed: [1, 2] }\ncompare: b\n",
    base,
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  expect(parsed.cells.map(({ name, baseline }) => [name, baseline])).toEqual(
    ["ratio 0.1, seed 1", "ratio 0.1, seed 2", "ratio 0.3, seed 1", "ratio 0.3, seed 2"]
      .map((at) => [`a, ${at}`, `b, ${at}`])
      .concat(
        ["ratio 0.1, seed 1", "ratio 0.1, seed 2", "ratio 0.3, seed 1", "ratio 0.3, seed 2"].map((at) => [
          `b, ${at}`,
          null as unknown as string,
        ]),
      ),
  );
  expect(parsed.cells[0]!.overrides).toEqual({
    distill: { loss: { pair: 0 } },
    calibrate: { ratio: 0.1 },
    label: { seed: 1 },
  });
});

test("`target` names one of the targets of `mos.score`, which a teacher by itself is not measured on", () => {
  const several = { ...base, mos: { file: "mos.csv", score: ["quality", "noise"] } };
  expect(problems("target: noise\n", several)).toEqual([]);
  expect(problems("target: quality\narms: { a: { stage: teacher } }\n", several)).toEqual([]);
  expect(problems("target: nosie\n", several)).toEqual([
    "1:9: `mos.score` has no such target: there are quality, noise",
  ]);
  expect(problems("target: noise\n", { images: "photos" })).toEqual([
    "1:9: `mos.score` has no such target: there is no `mos:`",
  ]);
  expect(problems("target: noise\narms: { a: { stage: teacher } }\n", several)).toEqual([
    "1:9: `stage: teacher` is evaluated on the main target only",
  ]);
});

test("a matrix alone compares with one of its rows; two keys of one last word are named whole", () => {
  const cells = expand(
    experimentSchema.parse({
      matrix: { "distill.batch": [8], "calibrate.batch": [8, 16] },
      compare: "distill.batch 8, calibrate.batch 16",
    }),
  );
  expect(cells.map(({ name, baseline }) => [name, baseline])).toEqual([
    ["distill.batch 8, calibrate.batch 8", "distill.batch 8, calibrate.batch 16"],
    ["distill.batch 8, calibrate.batch 16", null],
  ]);
  expect(expand(experimentSchema.parse({})).map(({ name }) => name)).toEqual(["base"]);
});

test("overrides are merged, a section of another kind is replaced, and seeds set theirs", () => {
  const openai = { teacher: { kind: "openai", endpoint: "http://x/v1", model: "m" } };
  expect(merged(openai, { teacher: { kind: "embedded" } })).toEqual({ teacher: { kind: "embedded" } });
  expect(merged(openai, nested({ "teacher.model": "n" }))).toEqual({
    teacher: { kind: "openai", endpoint: "http://x/v1", model: "n" },
  });
  const [cell] = expand(experimentSchema.parse({ arms: { a: { "distill.epochs": 9 } } }));
  expect(configValue(base, cell!, 7, false)).toEqual({
    ...base,
    distill: { epochs: 9, loss: { point: 1 }, seed: 7 },
    calibrate: { seed: 7 },
  });
  expect(configValue(base, cell!, 7, true)).toMatchObject({ split: { seed: 7 } });
});

test.each([
  ["an unknown key", "arm: {}\n", ["1:1: unknown key `arm`, did you mean `arms`?"]],
  [
    "a dotted key that leaf.yaml does not know",
    "arms:\n  a: { distil.epochs: 3 }\n",
    ["2:8: unknown key `distil`, did you mean `distill`?"],
  ],
  [
    "a nested one",
    "arms:\n  a:\n    distill:\n      epoch: 3\n",
    ["4:7: unknown key `distill.epoch`, did you mean `epochs`?"],
  ],
  [
    "a value that leaf.yaml refuses",
    "arms:\n  a: { distill.epochs: many }\n",
    ['2:24: `distill.epochs`: must be a number, not "many"'],
  ],
  [
    "one value of a matrix, told once for all rows",
    "arms: { a: {}, b: {} }\nmatrix:\n  calibrate.ratio: [0.1, 2]\n",
    ["3:26: `calibrate.ratio`: must be <=1"],
  ],
  [
    "a rule over several keys",
    "arms:\n  none: { distill.loss.point: 0, distill.loss.pair: 0 }\n",
    ["2:32: `distill.loss`: `point` and `pair` must not both be 0"],
  ],
  ["a seed of its own", "arms:\n  a: { distill.seed: 3 }\n", ["2:22: `distill.seed` is set by `seeds`"]],
  [
    "a baseline that is none",
    "arms: { joint: {} }\ncompare: jiont\n",
    ["2:10: `compare` names no arm: did you mean `joint`?"],
  ],
  ["a base elsewhere", "base: ../leaf.yaml\n", ["1:7: `base` must be the name of a config beside this file"]],
  ["the same seed twice", "seeds: [1, 1]\n", ["1:8: `seeds`: the seeds must differ"]],
  [
    "too much",
    `matrix: { label.seed: [${Array.from({ length: 100 }, (_, i) => i)}], split.seed: [${Array.from({ length: 100 }, (_, i) => i)}] }\n`,
    ["1:9: 10000 trainings are too many; at most 5000 are allowed"],
  ],
  ["broken YAML", "arms: { a: {}\n", [expect.stringMatching(/^\d+:\d+: /)]],
])("%s is a problem with its place", (_name, text, expected) => {
  const found = problems(text);
  // A rule may be marked at any of its keys.
  if (_name === "a rule over several keys")
    expect(found.map((one) => one.replace(/^2:\d+/, "2:32"))).toEqual(expected);
  else expect(found).toEqual(expected);
});

test("a problem suggests the whole dotted key", () => {
  const parsed = parseExperiment("arms:\n  a: { distil.loss.pair: 0 }\n", base);
  expect(parsed.ok ? [] : parsed.problems.map(({ suggestion, path: at }) => [at, suggestion])).toEqual([
    [["arms", "a", "distil.loss.pair"], "distill.loss.pair"],
  ]);
});

test("with a split from a file, splitting anew is refused", () => {
  expect(problems("resplit: true\n", { ...base, split: { file: "s.csv" } })).toEqual([
    "1:1: `resplit` draws no other split: the config's split comes from a file",
  ]);
});

test("opening tells the base's faults as those of the base", async () => {
  writeFileSync(path.join(dir, "leaf.yaml"), "images: photos\nlabl: {}\n");
  writeFileSync(path.join(dir, "x.experiment.yaml"), "arms: { a: {} }\n");
  await expect(openExperiment(path.join(dir, "x.experiment.yaml"))).rejects.toMatchObject({
    code: "config",
    message: "leaf.yaml:2:1: unknown key `labl`, did you mean `label`?",
  });
  await expect(openExperiment(path.join(dir, "y.experiment.yaml"))).rejects.toMatchObject({ code: "config" });
  writeFileSync(path.join(dir, "leaf.yaml"), "images: photos\ndistill: { epochs: 5 }\n");
  const open = await openExperiment(path.join(dir, "x.experiment.yaml"));
  expect(open.configOf(open.cells[0]!, 4)).toMatchObject({
    distill: { epochs: 5, seed: 4 },
    calibrate: { seed: 4 },
  });
  rmSync(path.join(dir, "leaf.yaml"));
});

test("names of files", () => {
  // A bare experiment.yaml may be another tool's.
  const files = [
    "ratio.experiment.yaml",
    "experiment.yaml",
    "leaf.yaml",
    "x.experiments.yaml",
    ".experiment.yaml",
  ];
  expect(files.map(isExperimentFile)).toEqual([true, false, false, false, false]);
  expect(experimentName("a/ratio.experiment.yaml")).toBe("ratio");
});

test("every preset is an experiment on a plain config, and is written beside it", async () => {
  const plain = { images: "photos", mos: { file: "mos.csv" } };
  const names = await presetNames();
  expect(names).toEqual([
    "cft-only",
    "components",
    "ensemble",
    "pairs",
    "ratio",
    "selection",
    "splits",
    "student",
    "teacher",
  ]);
  for (const name of names) {
    const text = await presetText(name);
    expect(problems(text, plain), name).toEqual([]);
    expect(parseExperiment(text).ok, name).toBe(true);
    // An empty file would be a single arm, which compares nothing.
    expect(text, name).toMatch(/^# .+[\s\S]*^(arms|matrix):/m);
  }
  writeFileSync(path.join(dir, "my.leaf.yaml"), "images: photos\n");
  await initExperiment(dir, "ratio", { base: "my.leaf.yaml" });
  expect(readdirSync(dir)).toContain("ratio.experiment.yaml");
  expect((await openExperiment(path.join(dir, "ratio.experiment.yaml"))).base).toBe(
    path.join(dir, "my.leaf.yaml"),
  );
  await expect(initExperiment(dir, "ratio")).rejects.toMatchObject({ code: "usage" });
  await expect(initExperiment(dir, "ratios")).rejects.toMatchObject({ code: "usage" });
});

const json = fc.jsonValue({ maxDepth: 3 });
const word = fc.constantFrom("distill", "loss", "pair", "ratio", "x", "kind");
const overrides = fc.dictionary(
  fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(".")),
  json,
  {
    maxKeys: 4,
  },
);

test("any text is read or refused with a place inside it", () => {
  const lines = fc.array(
    fc.constantFrom(
      "arms:",
      "  a: { distill.loss.pair: 0 }",
      "  b: [1]",
      "matrix: { calibrate.ratio: [0, x] }",
      "seeds: [0, -1]",
      "compare: a",
      "base: {}",
      "\t",
      "stage: teacher",
      "&a : *a",
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        lines.map((all) => all.join("\n")),
      ),
      (text) => {
        const parsed = parseExperiment(text, base);
        if (parsed.ok) return;
        expect(parsed.problems.length).toBeGreaterThan(0);
        for (const { line, column, message } of parsed.problems) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(text.split("\n").length);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(message).not.toContain("\n");
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("merging overrides twice is merging them once, and what they set is found where it was written", () => {
  fc.assert(
    fc.property(overrides, json, (over, below) => {
      const once = merged(below, nested(over));
      expect(merged(once, nested(over))).toEqual(once);
      for (const key of Object.keys(over)) {
        const found = locate(over, key.split("."));
        expect(found).toBeDefined();
        expect(Object.hasOwn(over, found![0]!)).toBe(true);
      }
    }),
  );
});

test("as many rows as combinations, all with names of their own", () => {
  const values = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 4 });
  const matrix = fc.dictionary(fc.constantFrom("a.x", "b.x", "c", "d.y"), values, { maxKeys: 3 });
  const arms = fc.dictionary(fc.constantFrom("one", "two", "three"), fc.constant({}), { maxKeys: 3 });
  fc.assert(
    fc.property(matrix, arms, (matrix, arms) => {
      const cells = expand(experimentSchema.parse({ matrix, arms }));
      const wanted = Object.values(matrix).reduce(
        (n, { length }) => n * length,
        Math.max(1, Object.keys(arms).length),
      );
      expect(cells).toHaveLength(wanted);
      expect(new Set(cells.map(({ name }) => name)).size).toBe(wanted);
      for (const { overrides, matrix: at } of cells)
        for (const [key, i] of Object.entries(at)) {
          const value = key
            .split(".")
            .reduce<unknown>((here, part) => (here as Record<string, unknown>)[part], overrides);
          expect(value).toBe(matrix[key]![i]);
        }
    }),
  );
});
