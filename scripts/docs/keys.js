// Tables of keys from JSON schemas.

/** @typedef {{type?: string | string[], description?: string, default?: unknown, enum?: unknown[], const?: unknown, properties?: Record<string, Schema>, anyOf?: Schema[], oneOf?: Schema[], minimum?: number, maximum?: number, exclusiveMinimum?: number, prefixItems?: Schema[], items?: Schema, required?: string[]}} Schema */

export const head = `| key | type | default | |
| --- | --- | --- | --- |`;

/** A row a key. @param {Schema} schema @param {string[]} at @returns {string[]} */
export function section(schema, at) {
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
