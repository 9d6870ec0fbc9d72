import path from "node:path";
import { pathToFileURL } from "node:url";

/** A module of the engine of the checkout that a command line's entry file belongs to, such as `labels/labels.ts`. */
export function engineOf<T>(leaf: string, file: string): Promise<T> {
  return import(pathToFileURL(path.join(path.dirname(leaf), "../src/engine", file)).href);
}
