export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Dotted keys made nested, also inside sections: `{ "a.b": 1, a: { c: 2 } }` is `{ a: { b: 1, c: 2 } }`. */
export function nested(overrides: unknown): unknown {
  if (!isTree(overrides)) return overrides;
  let result: unknown = {};
  for (const [key, value] of Object.entries(overrides)) {
    const inner = key.split(".").reduceRight<unknown>((inside, part) => ({ [part]: inside }), nested(value));
    result = merged(result, inner);
  }
  return result;
}

/** `base` with the values of `over`: sections are merged, all else is replaced; so is a section whose `kind` is another. */
export function merged(base: unknown, over: unknown): unknown {
  if (!isTree(base) || !isTree(over)) return over;
  if (typeof over.kind === "string" && base.kind !== undefined && over.kind !== base.kind) return over;
  const entries = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over))
    entries.set(key, entries.has(key) ? merged(entries.get(key), value) : value);
  return Object.fromEntries(entries);
}

/** Where in `overrides` a path of the config is written: the keys to it, dotted ones whole; undefined if it is not. */
export function locate(overrides: unknown, path: readonly (string | number)[]): string[] | undefined {
  if (path.length === 0 || overrides === null || typeof overrides !== "object") return [];
  for (const [key, value] of Object.entries(overrides)) {
    const parts = key.split(".");
    const shared = parts.findIndex((part, i) => part !== String(path[i]));
    const matched = shared < 0 ? parts.length : shared;
    if (matched === parts.length) return [key, ...(locate(value, path.slice(matched)) ?? [])];
    // The problem is of a section that this dotted key goes into.
    if (matched === path.length) return [key];
  }
  return undefined;
}
