import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.join(import.meta.dirname, "../..");
/** Other files than `src/words/` by their path, without comments. */
const sources = globSync(["src/**/*.ts", "webview/**/*.ts"], { cwd: root })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => !file.startsWith("src/words/") && !file.includes("node_modules"))
  .map((file) => {
    const text = readFileSync(path.join(root, file), "utf8");
    return { file, lines: text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "").split("\n") };
  });

/** Lines that match, as "file: line"; `allowed` are parts of files' paths with the reason why they may. */
function found(pattern: RegExp, allowed: Record<string, string> = {}): string[] {
  const used = new Set<string>();
  const lines = sources.flatMap(({ file, lines }) => {
    const why = Object.keys(allowed).find((part) => file.includes(part));
    const hits = lines.filter((line) => pattern.test(line)).map((line) => `${file}: ${line.trim()}`);
    if (why && hits.length > 0) used.add(why);
    return why ? [] : hits;
  });
  // An exception that nothing needs any more goes.
  expect([...used].sort()).toEqual(Object.keys(allowed).sort());
  return lines;
}

test("figures are written by src/words/figure.ts alone", () => {
  const allowed = {
    "src/engine/report/plot.ts": "ticks of an SVG axis, in as many decimals as their step",
    "src/engine/report/scoreSection.ts": "coordinates of an SVG",
    "src/engine/ratings/file.ts": "a cell of the user's table, read back as a number",
  };
  expect(found(/\.toFixed\(|\.toExponential\(|Intl\.NumberFormat|\.toLocaleString\("en"/, allowed)).toEqual(
    [],
  );
  const rounds = {
    "src/engine/reliability/pairTemperature.ts": "a setting of the training, without the noise of floats",
    "src/engine/config/recipes.ts": "a rate for the trainer, without the noise of floats",
  };
  expect(found(/\.toPrecision\(/, rounds)).toEqual([]);
});

test("durations and how long ago are worded by src/words/duration.ts alone", () => {
  expect(found(/\/ ?(60|3_?600|86_?400)\b(?!%)/)).toEqual([]);
  expect(found(/["`} ]ago["`]|\bmin(utes)? (ago|left)\b|"just now"/)).toEqual([]);
});

test("shares, scores and bands have one writer each", () => {
  expect(found(/\$\{[^}]*\b100 ?\*[^}]*\} %|\$\{[^}]*\* ?100\)?[^}]*\} %/)).toEqual([]);
  const words = {
    "src/engine/teachers/judgement.ts": "the words that a teacher is asked for",
    "src/engine/views/sources.ts": "names of columns",
    "src/protocol/server.ts": "the contract's names",
  };
  expect(found(/"excellent"/, words)).toEqual([]);
  expect(found(/better than \{/)).toEqual([]);
});

test("text is escaped for Markdown, HTML and LaTeX by src/words/escape.ts alone", () => {
  const allowed = { "src/engine/base/redact.ts": "looks for a secret in the forms that others give it" };
  expect(found(/&(amp|lt|gt|quot);|replace\(\/\[[^/]*[&<][^/]*\]\/g?,/, allowed)).toEqual([]);
});

test("nothing is decided by the English of a message", () => {
  const sentence =
    /\b(message|why|reason|invalid|title|remedy|headline|stderr|said)\)?\??\.(includes|startsWith|endsWith|match)\(/;
  const asked = /\/[a-z]*\.(test|exec)\(\w*\.?(message|why|reason|invalid|title|remedy|headline)\b/;
  const allowed = {
    "src/engine/base/unexpected.ts": "Node's own errors have no code",
    "src/engine/config/read.ts": "whether a sentence ends in a mark",
    "src/engine/dataset/decodeAll.ts": "decoders put the file's name before their reason",
    "src/engine/failures/words.ts": "decoders put the file's name before their reason",
    "src/engine/labelling/firstAnswers.ts": "whether a sentence ends in a mark",
    "src/cli/report.ts": "whether the file is named already",
    "src/extension/failureText.ts":
      "a command in backticks is markup: it becomes the editor's own, and a button",
    "src/engine/teachers/openai/thinking.ts": "which answer of a model a text begins with",
    "src/server/facts.ts": "whether a sentence ends in a mark",
  };
  expect(found(new RegExp(`${sentence.source}|${asked.source}`), allowed)).toEqual([]);
});
