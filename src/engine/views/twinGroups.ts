import { familiesOf } from "../dataset/twins/groups.ts";
import type { Sources } from "./sources.ts";

/** Images that are the same picture saved, scaled, cut or converted again. */
export interface TwinGroup {
  /** From 1, the largest first. */
  number: number;
  images: number;
}

/** The groups that the index knows: looking for them is the work of `findTwins`. */
export function openTwinGroups(sources: Sources, similar: number): (hash: string) => TwinGroup | undefined {
  let groups = new Map<string, TwinGroup>();
  let version: string | undefined;
  return (hash) => {
    const now = sources.version("dataset");
    if (version !== now) {
      groups = readGroups(sources, similar);
      version = now;
    }
    return groups.get(hash);
  };
}

function readGroups(sources: Sources, similar: number): Map<string, TwinGroup> {
  // An index of an older LEAF has none.
  const known = sources
    .prepare("SELECT 1 FROM dataset.sqlite_schema WHERE type = 'table' AND name = 'twins' AND rootpage > 0")
    .get();
  if (!known) return new Map();
  const usable = (column: string) =>
    `EXISTS (SELECT 1 FROM dataset.files WHERE hash = t.${column} AND error IS NULL)`;
  const pairs = sources
    .prepare(`SELECT a, b FROM dataset.twins AS t WHERE alike >= ? AND ${usable("a")} AND ${usable("b")}`)
    .all(similar) as { a: string; b: string }[];
  const families = familiesOf(pairs).sort((one, other) => other.length - one.length);
  return new Map(
    families.flatMap((family, i) =>
      family.map((hash) => [hash, { number: i + 1, images: family.length }] as const),
    ),
  );
}
