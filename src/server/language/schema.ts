import { configJsonSchema } from "../../engine/config/config.ts";
import { suitable } from "../../engine/config/recipes.ts";
import type { ConfigPath } from "./context.ts";

/** The parts of JSON Schema that the config's schema uses. */
export interface SchemaNode {
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, SchemaNode>;
  required?: string[];
  items?: SchemaNode | false;
  prefixItems?: SchemaNode[];
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

export const rootSchema = configJsonSchema() as SchemaNode;

/** Reads what the document has at a path, to tell `kind: …` alternatives apart. */
export type ValueAt = (path: ConfigPath) => unknown;

/** All that the schema says of a path: one node, or its alternatives. Empty for a key it does not know. */
export function schemasAt(
  path: ConfigPath,
  valueAt: ValueAt = () => undefined,
  root = rootSchema,
): SchemaNode[] {
  let nodes = [root];
  for (const [depth, part] of path.entries()) {
    const here = path.slice(0, depth);
    const objects = nodes.flatMap(alternatives);
    const fitting = objects.filter((node) => fits(node, part, (key) => valueAt([...here, key])));
    nodes = fitting.flatMap((node) => child(node, part) ?? []);
  }
  if (root !== rootSchema || defaultOf(nodes) !== undefined) return nodes;
  // Some defaults depend on the student.
  const fallback = suitable(path, valueAt);
  return fallback === undefined ? nodes : nodes.map((node) => ({ ...node, default: fallback }));
}

/** The node itself without its alternatives, or they in its place. */
export function alternatives(node: SchemaNode): SchemaNode[] {
  const options = node.anyOf ?? node.oneOf;
  return options ? options.flatMap(alternatives) : [node];
}

/** Is a map of known keys allowed here? */
export function isSection(nodes: SchemaNode[]): boolean {
  return nodes.flatMap(alternatives).some((node) => node.properties);
}

export function acceptsText(nodes: SchemaNode[]): boolean {
  return nodes.flatMap(alternatives).some(({ type }) => type === "string");
}

/** Values that are told by name: of an enum, constants, true and false, and null. */
export function namedValues(nodes: SchemaNode[]): unknown[] {
  const values = nodes.flatMap(alternatives).flatMap((node): unknown[] => {
    if (node.enum) return node.enum;
    if (node.const !== undefined) return [node.const];
    if (node.type === "boolean") return [true, false];
    return node.type === "null" ? [null] : [];
  });
  return [...new Set(values)];
}

export function defaultOf(nodes: SchemaNode[]): unknown {
  return nodes.find((node) => node.default !== undefined)?.default;
}

/** A value that stands on one line by itself: not a section, nor nothing at all. */
export function isPlain(value: unknown): boolean {
  return value !== undefined && (value === null || typeof value !== "object" || Array.isArray(value));
}

export function descriptionOf(nodes: SchemaNode[]): string | undefined {
  return nodes.find((node) => node.description)?.description;
}

/** An alternative fits unless the document says that another one is meant; the deciding key itself always may be asked for. */
function fits(node: SchemaNode, part: string | number | undefined, value: (key: string) => unknown): boolean {
  return Object.entries(node.properties ?? {}).every(([key, { const: wanted }]) => {
    const given = key === part || wanted === undefined ? undefined : value(key);
    return given === undefined || given === null || given === wanted;
  });
}

function child(node: SchemaNode, part: string | number): SchemaNode | undefined {
  if (typeof part === "string")
    return node.properties && Object.hasOwn(node.properties, part) ? node.properties[part] : undefined;
  return node.prefixItems?.[part] ?? (node.items || undefined);
}
