import path from "node:path";
import { URI } from "vscode-uri";
import { isExperimentFile } from "../../../engine/experiments/file.ts";
import { experimentJsonSchema } from "../../../engine/experiments/schema.ts";
import type { ConfigPath } from "../context.ts";
import { alternatives, rootSchema, type SchemaNode, schemasAt, type ValueAt } from "../schema.ts";

export function isExperimentUri(uri: string): boolean {
  return isExperimentFile(path.posix.basename(URI.parse(uri).path));
}

const experimentSchema = experimentJsonSchema() as SchemaNode;

/** What a place in an experiment means: a key of its own, or one of leaf.yaml that an arm or the matrix overrides. */
export type Place = { of: "experiment"; path: ConfigPath } | { of: "config"; path: ConfigPath };

/** `["arms", "a", "distill.loss", "pair"]` is `distill.loss.pair` of leaf.yaml, a value of the matrix one of its key's. */
export function placeOf(at: ConfigPath): Place {
  const [top, name, ...rest] = at;
  if (top === "arms" && name !== undefined && !(rest.length === 1 && rest[0] === "stage"))
    return { of: "config", path: split(rest) };
  if (top === "matrix" && name !== undefined)
    return { of: "config", path: [...split([name]), ...rest.slice(1)] };
  return top === "arms" && rest[0] === "stage"
    ? { of: "experiment", path: ["stage"] }
    : { of: "experiment", path: at };
}

function split(at: ConfigPath): ConfigPath {
  return at.flatMap((part): ConfigPath => (typeof part === "string" ? part.split(".") : [part]));
}

export function schemasOf({ of, path: at }: Place, valueAt?: ValueAt): SchemaNode[] {
  return of === "config" ? schemasAt(at, valueAt) : schemasAt(at, valueAt, experimentSchema);
}

/** All keys of leaf.yaml that hold a value, dotted; those that every alternative of a section has come once. */
export function dottedKeys(nodes: SchemaNode[] = [rootSchema], above = ""): string[] {
  const keys = new Set<string>();
  for (const node of nodes.flatMap(alternatives)) {
    for (const [key, inner] of Object.entries(node.properties ?? {})) {
      const name = above ? `${above}.${key}` : key;
      const deeper = dottedKeys([inner], name);
      for (const one of deeper.length > 0 ? deeper : [name]) keys.add(one);
    }
  }
  return [...keys];
}

/** Set by `seeds`, or what no arm may change. */
export const ownKeys = new Set(["distill.seed", "calibrate.seed"]);
