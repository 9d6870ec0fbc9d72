import { flowText } from "../../engine/config/yamlDocument.ts";
import type { ConfigPath } from "./context.ts";
import { defaultOf, isSection, namedValues, type SchemaNode, schemasAt } from "./schema.ts";

/** Keys that a new section starts with; the others are a completion away. */
const starters: Record<string, string[]> = {
  // The file tells the rest where its layout is known; a column that is missing is a diagnostic with the columns there are.
  mos: ["file"],
  split: ["test", "val"],
  "split.groupBy": ["pattern"],
  teacher: ["kind"],
  label: ["pairsPerImage", "minConfidence"],
  student: ["model", "input"],
  "student.input": ["resize", "crop"],
  distill: ["epochs", "loss"],
  "distill.loss": ["point", "pair"],
  "distill.lr": ["backbone", "head"],
  calibrate: ["ratio"],
  "calibrate.loss": ["mse", "plcc"],
  "calibrate.lr": ["backbone", "head"],
  evaluate: ["split", "bootstrap"],
  python: ["device"],
};

/** Values to start with where the schema has no default. */
const examples: Record<string, string> = {
  images: "photos",
  "mos.file": "mos.csv",
  "split.file": "split.csv",
  "split.groupBy.pattern": "^(.+)_[0-9]+",
  "python.interpreter": ".venv/bin/python",
};

/** A key with its value as a snippet: defaults to tab through, choices to pick from, sections with what they start with. */
export function keySnippet(path: ConfigPath, flow: boolean): string {
  const stops = { next: 1 };
  return `${path.at(-1)}:${snippet(path, flow, stops)}`;
}

/** The value alone, on one line. */
export function valueSnippet(path: ConfigPath): string {
  return snippet(path, true, { next: 1 }).trimStart();
}

/** A snippet without its tab stops: each with what it would be if one only tabbed through. */
export function plainText(text: string): string {
  return text
    .replace(/\$\{\d+\|((?:\\.|[^,|\\])*)(?:\\.|[^|\\])*\|\}/g, "$1")
    .replace(/\$\{\d+:((?:\\.|[^}\\])*)\}/g, "$1")
    .replace(/\$\d+/g, "")
    .replace(/\\([$}\\,|])/g, "$1");
}

function snippet(path: ConfigPath, flow: boolean, stops: { next: number }): string {
  const nodes = schemasAt(path);
  const fallback = defaultOf(nodes);
  const scalar = fallback !== undefined && (fallback === null || typeof fallback !== "object");
  const asSection = isSection(nodes) && !scalar;
  if (!asSection) return ` ${scalarSnippet(path, nodes, stops)}`;
  const keys = starters[path.join(".")] ?? [];
  // One level of lines; what is deeper stands in braces, as in the configs that `leaf init` writes.
  if (flow || path.length > 1) {
    const inner = keys.map((key) => `${key}:${snippet([...path, key], true, stops)}`);
    return inner.length > 0 ? ` { ${inner.join(", ")} }` : ` { $${stops.next++} }`;
  }
  const lines = keys.map((key) => `\n  ${key}:${snippet([...path, key], false, stops)}`);
  return lines.length > 0 ? lines.join("") : `\n  $${stops.next++}`;
}

function scalarSnippet(path: ConfigPath, nodes: SchemaNode[], stops: { next: number }): string {
  const stop = stops.next++;
  const fallback = defaultOf(nodes);
  const named: unknown[] = namedValues(nodes).filter((value) => value !== null);
  if (named.length > 1) {
    const first: unknown[] = named.includes(fallback) ? [fallback] : [];
    const choices = [...first, ...named.filter((value) => value !== fallback)];
    return `\${${stop}|${choices.map((value) => choiceText(flowText(value))).join(",")}|}`;
  }
  const example = examples[path.join(".")];
  const value = fallback !== undefined ? flowText(fallback) : named.length > 0 ? flowText(named[0]) : example;
  const quoted = example && value === example ? quoteIfNeeded(example) : value;
  return quoted === undefined ? `$${stop}` : `\${${stop}:${placeholderText(quoted)}}`;
}

function quoteIfNeeded(text: string): string {
  return /^[\w./]+[\w./ -]*$/.test(text) ? text : `'${text}'`;
}

function placeholderText(text: string): string {
  return text.replace(/[\\$}]/g, "\\$&");
}

function choiceText(text: string): string {
  return text.replace(/[\\,|]/g, "\\$&");
}

/** A whole config for an empty file. */
export const skeleton = `# LEAF: a teacher judges the images, a small student learns from it, few human scores (MOS) set the scale.
images: \${1:photos}   # folder or globs, relative to this file

# Human scores, if there are some:
# mos: { file: mos.csv, image: image, score: mos, range: [1, 5] }

teacher: { kind: \${2:embedded} }

label:
  pairsPerImage: \${3:8}

student:
  model: \${4|efficientnet-lite0,facebook/convnext-base-224-22k-1k,atto|}
  input: { resize: \${5:256}, crop: \${6:224} }

distill:
  epochs: \${7:20}

calibrate:
  ratio: \${8:0.1}

evaluate:
  split: \${9|test,val,train|}
$0`;
