// Typed Python of a JSON Schema's definitions: a msgspec Struct for each object, a name for each other type. Only what the contract
// has is known; anything else throws. Laid out as `ruff format` would.

/** @typedef {{type?: string | string[], const?: unknown, enum?: unknown[], default?: unknown, must?: string, $ref?: string, anyOf?: Schema[], oneOf?: Schema[], properties?: Record<string, Schema>, required?: string[], additionalProperties?: boolean | Schema, propertyNames?: Schema, items?: boolean | Schema, prefixItems?: Schema[], pattern?: string, [bound: string]: unknown}} Schema */
/** @typedef {Record<string, Schema>} Defs */

const longest = 110;
const simple = { string: "str", integer: "int", number: "float", boolean: "bool", null: "None" };
/** JSON Schema's bounds as msgspec's. */
const bounds = {
  minimum: "ge",
  maximum: "le",
  exclusiveMinimum: "gt",
  minLength: "min_length",
  maxLength: "max_length",
  minItems: "min_length",
  maxItems: "max_length",
  pattern: "pattern",
};

/** @param {string} header @param {object} defs */
export function pythonOf(header, defs) {
  const named = /** @type {Defs} */ (defs);
  const tags = tagsOf(named);
  const families = familiesOf(named);
  const written = Object.entries(named).map(([name, schema]) => {
    if (families.bases.has(name)) return `class ${name}(Loose, frozen=True):\n    """One of those below."""`;
    if (schema.properties) return classOf(name, schema, tags.get(name), families.baseOf.get(name));
    return `${name} = ${typeOf(schema)}`;
  });
  const isClass = (/** @type {string} */ block) => block.startsWith("class ");
  const body = written.reduce(
    (before, next, at) => before + (isClass(written[at - 1] ?? "") || isClass(next) ? "\n\n\n" : "\n") + next,
  );
  const text = `"""${header}"""\n\n${importsOf(body)}\n${isClass(body) ? "\n" : ""}\n${body}\n`;
  for (const line of text.split("\n"))
    if (line.length > longest) throw new Error(`Name a part of this in the contract: ${line}`);
  return text;
}

/** @param {string} body */
function importsOf(body) {
  const used = (/** @type {string[]} */ names) =>
    names.filter((name) => new RegExp(`\\b${name}\\b`).test(body));
  const line = (/** @type {string} */ from, /** @type {string[]} */ names) =>
    names.length > 0 ? [`from ${from} import ${names.join(", ")}`] : [];
  return [
    ...line("typing", used(["Annotated", "Literal"])),
    "",
    ...line("msgspec", used(["UNSET", "Meta", "UnsetType"])),
    "",
    ...line("leaf.contract", used(["Loose", "Strict"])),
  ].join("\n");
}

/** @param {string} name @param {Schema} schema @param {{field: string, value: string} | undefined} tag @param {string} [base] */
function classOf(name, schema, tag, base) {
  const parent = base ?? (schema.additionalProperties === false ? "Strict" : "Loose");
  const tagged = tag ? `, tag_field="${tag.field}", tag="${tag.value}"` : "";
  const fields = Object.entries(schema.properties ?? {})
    .filter(([key]) => key !== tag?.field)
    .map(([key, value]) => `    ${fieldOf(key, value, schema.required?.includes(key) === true)}`);
  return [`class ${name}(${parent}, frozen=True, kw_only=True${tagged}):`, ...fields].join("\n");
}

/** @param {string} key @param {Schema} schema @param {boolean} required */
function fieldOf(key, schema, required) {
  const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const type = typeOf(schema);
  if (required) return `${name}: ${type}`;
  return "default" in schema
    ? `${name}: ${type} = ${literal(schema.default)}`
    : `${name}: UnsetType | ${type} = UNSET`;
}

/** @param {Schema} schema @returns {string} */
function typeOf(schema) {
  const meta = Object.entries(bounds)
    .filter(([key]) => schema[key] !== undefined && !(schema.prefixItems && key.endsWith("Items")))
    .map(([key, name]) => `${name}=${literal(schema[key])}`);
  if (schema.must) meta.push(`extra={"must": ${literal(schema.must)}}`);
  const bare = bareType(schema);
  return meta.length > 0 ? `Annotated[${bare}, Meta(${meta.join(", ")})]` : bare;
}

/** @param {Schema} schema @returns {string} */
function bareType(schema) {
  const { type, items, prefixItems, additionalProperties: values } = schema;
  if (schema.$ref) return refOf(schema);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeOf).join(" | ");
  if (Array.isArray(type)) return type.map((one) => typeOf({ type: one })).join(" | ");
  // msgspec knows no literal true and false.
  if (type === "boolean") return "bool";
  const allowed = "const" in schema ? [schema.const] : schema.enum;
  if (allowed) return `Literal[${allowed.map(literal).join(", ")}]`;
  if (prefixItems && items === false) return `tuple[${prefixItems.map(typeOf).join(", ")}]`;
  if (type === "array" && typeof items === "object") return `list[${typeOf(items)}]`;
  if (type === "object" && !schema.properties && typeof values === "object")
    return `dict[${typeOf(schema.propertyNames ?? { type: "string" })}, ${typeOf(values)}]`;
  const found = simple[/** @type {keyof typeof simple} */ (type)];
  if (!found) throw new Error(`The contract has what Python cannot be written of: ${JSON.stringify(schema)}`);
  return found;
}

/** @param {Schema} schema */
function refOf({ $ref = "" }) {
  return $ref.slice("#/$defs/".length);
}

/** @param {unknown} value */
function literal(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  const text = JSON.stringify(value);
  return typeof value === "string" && value.includes("\\") ? `r"${value}"` : text;
}

/** Objects of which a union is told by a word of theirs. @param {Defs} defs */
function tagsOf(defs) {
  /** @type {Map<string, {field: string, value: string}>} */
  const tags = new Map();
  for (const { oneOf } of Object.values(defs)) {
    const members = (oneOf ?? []).map(refOf);
    const words = (/** @type {string} */ name) =>
      Object.entries(defs[name]?.properties ?? {}).flatMap(([field, one]) =>
        typeof one.const === "string" ? [{ field, value: one.const }] : [],
      );
    for (const member of members) {
      const [tag, ...more] = words(member);
      if (!tag || more.length > 0) throw new Error(`${member} has no word, or several, to be told by.`);
      tags.set(member, tag);
    }
  }
  return tags;
}

/** Unions of objects that no word tells apart: msgspec cannot read these, so they are what a class has in common. @param {Defs} defs */
function familiesOf(defs) {
  const unions = Object.entries(defs).filter(([, { anyOf }]) =>
    anyOf?.every((one) => defs[refOf(one)]?.properties),
  );
  return {
    bases: new Set(unions.map(([name]) => name)),
    baseOf: new Map(unions.flatMap(([name, { anyOf }]) => (anyOf ?? []).map((one) => [refOf(one), name]))),
  };
}
