import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { configJsonSchema } from "../../../src/engine/config/config.ts";
import { loadConfig, parseConfig } from "../../../src/engine/config/read.ts";
import { temporaryFolder } from "../../integration/workspace.ts";

function firstProblem(text: string) {
  const parsed = parseConfig(text);
  if (parsed.ok) throw new Error("It was accepted.");
  return parsed.problems[0]!;
}

describe("leaf.yaml", () => {
  test("one line is a whole config", () => {
    const parsed = parseConfig("images: photos");
    expect(parsed.ok && parsed.config.distill).toMatchObject({ epochs: 20, loss: { point: 1, pair: 1 } });
    expect(parsed.ok && parsed.config.calibrate).toMatchObject({ ratio: 0.1, loss: { mse: 1, plcc: 1 } });
    expect(parsed.ok && parsed.config.teacher).toEqual({ kind: "embedded" });
  });

  test("several documents are a problem of the line that begins the second", async () => {
    const file = path.join(temporaryFolder().dir, "leaf.yaml");
    for (const text of [
      "images: photos\n---\nimages: other\n",
      "images: photos\n---\n",
      "---\n---\nimages: a\n",
    ]) {
      writeFileSync(file, text);
      await expect(loadConfig(file)).rejects.toMatchObject({
        code: "config",
        line: 2,
        column: 1,
        message: "leaf.yaml:2:1: this begins a second document, and a config is one: remove the line `---`.",
      });
    }
    writeFileSync(file, "---\nimages: photos\n...\n");
    await expect(loadConfig(file)).resolves.toMatchObject({ images: "photos" });
  });

  test("brackets nested by the thousand are a problem, not the end of the process", () => {
    const deep = `images: ${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    expect(firstProblem(deep).message).toBe("it is nested too deeply to be read");
  });

  test.each(["[1, 1e308]", "[-1e308, 1e308]", "[0, 1e-300]", "[.nan, .inf]", "[5, 1]"])(
    "a scale of scores has sane ends, not %s",
    (range) => {
      expect(firstProblem(`images: a\nmos: { file: m.csv, range: ${range} }`).message).toMatch(
        /^`mos\.range/,
      );
    },
  );

  test.each([
    ["images: a\ndistil:\n  epochs: 3", 2, 1, "unknown key `distil`, did you mean `distill`?"],
    ["images: a\ndistill:\n  epoch: 3", 3, 3, "unknown key `distill.epoch`, did you mean `epochs`?"],
    [
      "images: a\ncalibrate:\n  loss: { plc: 1 }",
      3,
      11,
      "unknown key `calibrate.loss.plc`, did you mean `plcc`?",
    ],
    ["images: a\ncalibrate:\n  ratio: 2", 3, 10, "`calibrate.ratio`: must be <=1"],
    [
      "images: a\nevaluate: { split: tset }",
      2,
      20,
      '`evaluate.split`: must be one of `test`, `val`, `train`, not "tset"',
    ],
    [
      "images: a\nteacher: { kind: oracle }",
      2,
      18,
      "must be one of `embedded`, `clip`, `openai`, `transformers`",
    ],
    ["images: a\nteacher: { kind: openai, model: m }", 2, 10, "takes either `endpoint` or `serve`"],
    [
      "images: a\nteacher: { kind: openai, endpoint: 'http://x/v1' }",
      2,
      10,
      "the model's name at the endpoint",
    ],
    ["images: a\nteacher: { kind: openai, model: m, endpoint: 'ftp://x' }", 2, 46, "must be a URL such as"],
    [
      "images: a\nteacher: { kind: openai, model: m, endpoint: 'http://u:p@x' }",
      2,
      46,
      "must not hold a password",
    ],
    ["images: a\nteacher: { kind: openai, model: m, endpiont: x }", 2, 36, "did you mean `endpoint`?"],
    [
      "images: a\nteacher: { kind: transformers, model: m, prompts: { wrds: x } }",
      2,
      53,
      "`teacher.prompts.wrds`, did you mean `words`?",
    ],
    ["images: a\nimages: b", 2, 1, "Map keys must be unique"],
    ["images: [a", 1, 11, "Flow sequence"],
    ["mos: { file: a.csv }", 1, 1, "`images` is missing"],
    ["images: a\nsplit: { test: 0.6, val: 0.5 }", 2, 8, "must leave images to train on"],
    ["images: a\nsplit: { groupBy: { pattern: '(((' } }", 2, 30, "regular expression with one capture group"],
    [
      "images: a\nstudent: { input: { resize: 100, crop: 224 } }",
      2,
      19,
      "`resize` must not be smaller than `crop`",
    ],
    ["images: a\nzzzzzz: 1", 2, 1, "unknown key `zzzzzz`"],
  ])("%j is told at its place", (text, line, column, message) => {
    const problem = firstProblem(text);
    expect(problem.message).toContain(message);
    expect([problem.line, problem.column]).toEqual([line, column]);
  });

  test("a key with nothing like it gets no suggestion", () => {
    expect(firstProblem("images: a\nzzzzzz: 1").suggestion).toBeUndefined();
  });

  test("loadConfig names file, line and column", async () => {
    const { dir, remove } = temporaryFolder();
    const file = path.join(dir, "leaf.yaml");
    writeFileSync(file, "images: a\nlabel:\n  pairPerImage: 3\n");
    await expect(loadConfig(file)).rejects.toMatchObject({
      code: "config",
      message: "leaf.yaml:3:3: unknown key `label.pairPerImage`, did you mean `pairsPerImage`?",
      line: 3,
      column: 3,
      remedy: "Write `pairsPerImage` instead.",
    });
    remove();
    await expect(loadConfig(file)).rejects.toMatchObject({
      code: "config",
      remedy: expect.stringContaining("leaf init"),
    });
  });

  test("any text yields a config or problems within the text, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.jsonValue().map((value) => stringify({ images: "a", distill: value })),
          fc.jsonValue().map((value) => stringify(value)),
        ),
        (text) => {
          const parsed = parseConfig(text);
          if (parsed.ok) return;
          expect(parsed.problems.length).toBeGreaterThan(0);
          for (const { line, column, message } of parsed.problems) {
            expect(line).toBeGreaterThanOrEqual(1);
            expect(line).toBeLessThanOrEqual(text.split(/\r\n|\r|\n/).length + 1);
            expect(column).toBeGreaterThanOrEqual(1);
            expect(message).not.toContain("\n");
          }
        },
      ),
    );
  });

  test("a parsed config, written again, parses to itself", () => {
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.record({
          images: fc.constantFrom("photos", ["a", "b/**"]),
          calibrate: fc.record({ ratio }),
          label: fc.record({ pairsPerImage: fc.nat(100) }),
        }),
        (value) => {
          const parsed = parseConfig(stringify(value));
          if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
          expect(parsed.config.calibrate.ratio).toBe(value.calibrate.ratio);
          expect(parseConfig(stringify(parsed.config))).toEqual(parsed);
        },
      ),
    );
  });

  test("every key has a description, for completion and for docs/config.md", () => {
    interface Schema {
      description?: string;
      properties?: Record<string, Schema>;
    }
    const bare = Object.entries((configJsonSchema() as Schema).properties!).filter(
      ([, schema]) => !schema.description,
    );
    expect(bare).toEqual([]);
    execFileSync(process.execPath, ["scripts/docs.js", "--check"]);
  });

  test.each(["{a: 1}: 2", "[".repeat(20_000), "images: &a [*a]", "images: &a { b: *a }"])(
    "%#: odd YAML is a problem, not a crash",
    (text) => {
      const parsed = parseConfig(text);
      expect(parsed.ok).toBe(false);
      if (!parsed.ok) expect(parsed.problems.length).toBeGreaterThan(0);
    },
  );
});
