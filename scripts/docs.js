// Writes docs/config.md and the table of docs/experiments.md from the schemas, so that the references cannot drift. `--check`
// only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { configJsonSchema } from "../src/engine/config/config.ts";
import { recipes } from "../src/engine/config/recipes.ts";
import { experimentJsonSchema } from "../src/engine/experiments/schema.ts";

/** @typedef {{type?: string | string[], description?: string, default?: unknown, enum?: unknown[], const?: unknown, properties?: Record<string, Schema>, anyOf?: Schema[], oneOf?: Schema[], minimum?: number, maximum?: number, exclusiveMinimum?: number, prefixItems?: Schema[], items?: Schema, required?: string[]}} Schema */

const file = "docs/config.md";
const rows = section(/** @type {Schema} */ (configJsonSchema()), []);
const text = `# leaf.yaml

Any \`leaf.yaml\` or \`*.leaf.yaml\` is a config; paths are relative to it. Unknown keys are errors. Written by \`npm run docs\` from the schema.

| key | type | default | |
| --- | --- | --- | --- |
${rows.join("\n")}

## What suits a family

Keys of \`student\`, \`distill\` and \`calibrate\` without a default above take these, by the name of \`student.model\`.
\`leaf check\` and the editor show the numbers that apply. \`calibrate\` is for a distilled student; from the backbone alone
(\`calibrate.from: backbone\`) its rates are ${recipes.convnext.fromBackbone.rates} times as high and its epochs ${recipes.convnext.fromBackbone.epochs} times as many, and all of it is trained.

| | ${Object.keys(recipes).join(" | ")} |
| --- |${" --- |".repeat(Object.keys(recipes).length)}
${recipeRows().join("\n")}

\`convnextv2-small\` are Tiny and below. ConvNeXts take what their authors fine-tune with (ConvNeXt: CVPR 2022; V2: CVPR 2023), for steps of 32
images, and were not measured here; EfficientNet-Lite0's were chosen on the demo's validation photos. Atto begins with random weights.
`;
const experiments = "docs/experiments.md";
const table = `| key | type | default | |
| --- | --- | --- | --- |
${section(/** @type {Schema} */ (experimentJsonSchema()), []).join("\n")}
`;
const withTable = readFileSync(experiments, "utf8").replace(
  /(<!-- keys: [^>]*-->\n)[\s\S]*?(<!-- \/keys -->)/,
  (_, start, end) => `${start}\n${table}\n${end}`,
);
for (const [name, content] of Object.entries({ [file]: text, [experiments]: withTable })) {
  if (!process.argv.includes("--check")) writeFileSync(name, content);
  else if (readFileSync(name, "utf8") !== content) {
    console.error(`${name} is not up to date: run \`npm run docs\`.`);
    process.exit(1);
  }
}

/** The recipes, a row a key. @returns {string[]} */
function recipeRows() {
  const settings = ["batch", "lr.backbone", "lr.head", "weightDecay", "layerDecay"];
  const of = (/** @type {string} */ stage) => settings.map((key) => `${stage}.${key}`);
  return ["resize", ...of("distill"), "distill.ema", ...of("calibrate")].map((key) => {
    const values = Object.values(recipes).map((recipe) =>
      key.split(".").reduce((part, name) => part[name], /** @type {any} */ (recipe)),
    );
    return `| \`${key === "resize" ? "student.input.resize" : key}\` | ${values.join(" | ")} |`;
  });
}

/** @param {Schema} schema @param {string[]} at @returns {string[]} */
function section(schema, at) {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const path = [...at, key];
    const choices = (value.anyOf ?? value.oneOf ?? []).filter((one) => one.properties && at.length === 0);
    const inner = value.properties ? [value] : choices;
    const about = (value.description ?? "").replaceAll("|", "\\|");
    const plain = inner.length === 0;
    const row = `| \`${path.join(".")}\` | ${plain ? typeOf(value) : ""} | ${!plain || value.default === undefined ? "" : `\`${JSON.stringify(value.default)}\``} | ${about} |`;
    return [row, ...(inner.length > 1 ? choice(inner, path) : inner.flatMap((one) => section(one, path)))];
  });
}

/** Of a choice by `kind` each has keys of its own; what several share is told once. @param {Schema[]} options @param {string[]} at */
function choice(options, at) {
  /** @type {Map<string, string[]>} */
  const kindsOf = new Map();
  for (const option of options)
    for (const row of section(option, at))
      kindsOf.set(row, [...(kindsOf.get(row) ?? []), String(option.properties?.kind?.const)]);
  return [...kindsOf].map(([row, kinds]) => row.replace("` |", `\` (${kinds.join(", ")}) |`));
}

/** @param {Schema} schema @returns {string} */
function typeOf(schema) {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((one) => `\`${one}\``).join(" \\| ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeOf).join(" \\| ");
  if (schema.prefixItems)
    return schema.prefixItems[0]?.type === "string"
      ? `${schema.prefixItems.length} strings`
      : "[lowest, highest]";
  if (schema.type === "array") return `list of ${schema.items ? typeOf(schema.items) : "values"}`;
  if (schema.properties) return `{ ${Object.keys(schema.properties).join(", ")} }`;
  const above =
    schema.exclusiveMinimum !== undefined
      ? `> ${schema.exclusiveMinimum}`
      : schema.minimum !== undefined && schema.minimum > -1e15
        ? `≥ ${schema.minimum}`
        : "";
  const below = schema.maximum !== undefined && schema.maximum < 1e15 ? `≤ ${schema.maximum}` : "";
  return [Array.isArray(schema.type) ? schema.type.join(" \\| ") : schema.type, above, below]
    .filter(Boolean)
    .join(" ");
}
