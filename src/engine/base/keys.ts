import { createHash } from "node:crypto";

/** JSON with sorted keys, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Key of a piece of work: 16 hex digits of the SHA-256 of all that it depends on. */
export function keyOf(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, 16);
}

const perUpdate = 16_384;

/** A digest of a stream of lines, in their order. */
export function digestLines(lines: Iterable<string>): string {
  const hash = createHash("sha256");
  // Many lines at a time: a call costs more than hashing one.
  let some = "";
  for (const line of lines) {
    some += `${line}\n`;
    if (some.length < perUpdate) continue;
    hash.update(some);
    some = "";
  }
  return hash.update(some).digest("hex").slice(0, 32);
}
