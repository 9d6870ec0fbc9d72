import fc from "fast-check";
import { expect, test } from "vitest";
import type { TextEdit } from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parseConfig } from "../../src/engine/config/read.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { completionsAt } from "../../src/server/language/completion.ts";
import { readConfig } from "../../src/server/language/configDocument.ts";
import type { FactProblem } from "../../src/server/language/context.ts";
import { diagnose } from "../../src/server/language/diagnostics.ts";
import { quickFixes } from "../../src/server/language/fixes.ts";
import { hoverAt } from "../../src/server/language/hover.ts";
import { codeLenses } from "../../src/server/language/lenses.ts";
import { documentLinks } from "../../src/server/language/links.ts";
import { rootSchema } from "../../src/server/language/schema.ts";
import { documentSymbols, foldingRanges } from "../../src/server/language/yamlService.ts";

const words = [
  ...Object.keys(rootSchema.properties ?? {}),
  ..."seed pairs epochs test loss input crop file kind null true 0.1 -3 near x".split(" "),
  ...[
    ": ",
    ":",
    "{ ",
    "}",
    "[",
    "]",
    ", ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    "#",
    " ",
    "'",
    '"',
    "|",
    ">",
    "&a ",
    "*a",
    "!!",
    "? ",
    "---\n",
    "\r\n",
    "<<: ",
    "é",
    "🙂",
    "\ue000",
    "$schema",
  ],
];
const texts = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((parts) => parts.join("")),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
);

const facts: FactProblem[] = [
  { path: ["images"], message: "m", severity: "error", code: "c" },
  {
    path: ["calibrate", "ratio"],
    message: "m",
    severity: "warning",
    code: "c",
    fix: { title: "t", kind: "replace", path: ["calibrate", "ratio"], value: 0.5 },
  },
];
const snapshot = {
  config: "file:///none/leaf.yaml",
  invalid: null,
  stale: 1,
  job: null,
  mos: null,
  images: null,
  stages: [{ stage: "label", state: "missing", reason: null, headline: null, run: null, updated: null }],
} as unknown as ProjectSnapshot;

const everywhere = (document: TextDocument) => ({
  start: { line: 0, character: 0 },
  end: { line: document.lineCount, character: 0 },
});

test("no text and no cursor makes any feature fail", async () => {
  await fc.assert(
    fc.asyncProperty(texts, fc.double({ min: 0, max: 1, noNaN: true }), async (text, where) => {
      const document = TextDocument.create("file:///none/leaf.yaml", "yaml", 1, text);
      const config = readConfig(document);
      const offset = Math.round(where * text.length);
      const items = await completionsAt(config, offset);
      for (const item of items) {
        const edit = item.textEdit as TextEdit;
        // An edit around the cursor, or the editor refuses it.
        expect(document.offsetAt(edit.range.start)).toBeLessThanOrEqual(offset);
        expect(document.offsetAt(edit.range.end)).toBeGreaterThanOrEqual(offset);
      }
      hoverAt(config, offset, snapshot);
      const valid = parseConfig(text).ok;
      const diagnostics = diagnose(config, []);
      expect(diagnostics.length === 0).toBe(valid);
      expect(new Set(diagnostics.map((one) => JSON.stringify([one.range, one.message]))).size).toBe(
        diagnostics.length,
      );
      diagnose(config, facts);
      for (const { edit } of quickFixes(config, facts, everywhere(document)))
        if (edit) TextDocument.applyEdits(document, edit.changes![config.uri]!);
      expect(codeLenses(config, { snapshot, runs: [], now: 0 }).length).toBeGreaterThan(0);
      await documentLinks(config);
      await documentSymbols(document);
      await foldingRanges(document);
    }),
    { numRuns: 300 },
  );
});

test("brackets nested by the thousand are a diagnostic, not a crash", async () => {
  const document = TextDocument.create("file:///none/leaf.yaml", "yaml", 1, "[".repeat(20_000));
  const config = readConfig(document);
  expect(diagnose(config, facts)).toHaveLength(1);
  expect(await completionsAt(config, 20_000)).toEqual([]);
});

test("values that the schema takes stay right under every fix of a wrong one", () => {
  const keys = fc.constantFrom(
    ["distill", "epochs"],
    ["label", "minConfidence"],
    ["calibrate", "validate"],
    ["evaluate", "split"],
    ["student", "input", "views"],
    ["python", "threads"],
    ["distill", "lr", "head"],
  );
  const values = fc.oneof(
    fc.integer({ min: -1000, max: 100000 }).map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -5, max: 5 }).map(String),
    fc.constantFrom("yes", "'3'", "'0.5'", "tset", "''", "[1]", "~"),
  );
  fc.assert(
    fc.property(keys, values, fc.boolean(), (path, value, inBraces) => {
      const lines = path.map((key, i) => `${"  ".repeat(i)}${key}:`).join("\n");
      const body = inBraces
        ? path.reduceRight((inner, key, i) => (i === 0 ? `${key}: ${inner}` : `{ ${key}: ${inner} }`), value)
        : `${lines} ${value}`;
      const document = TextDocument.create("file:///none/leaf.yaml", "yaml", 1, `images: photos\n${body}\n`);
      const config = readConfig(document);
      const fixes = quickFixes(config, [], everywhere(document));
      expect(fixes.length > 0).toBe(!parseConfig(config.text).ok);
      for (const { edit, title } of fixes) {
        const fixed = TextDocument.applyEdits(document, edit!.changes![config.uri]!);
        expect(parseConfig(fixed), `${title}\n${fixed}`).toMatchObject({ ok: true });
      }
    }),
    { numRuns: 500 },
  );
});
