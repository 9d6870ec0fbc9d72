import path from "node:path";
import { formatOfExtension } from "../../images/format.ts";

/** Lower-case file name, and the same without an image extension: what CSV files may call an image. */
export function foldedNames(file: string): { name: string; stem: string } {
  const name = path.posix.basename(file).toLowerCase();
  return { name, stem: withoutImageExtension(name) };
}

/** "a.b.jpg" becomes "a.b"; "a.b", whose ending is no image extension, stays. */
export function withoutImageExtension(name: string): string {
  const extension = path.posix.extname(name);
  return Object.hasOwn(formatOfExtension, extension.slice(1).toLowerCase())
    ? name.slice(0, -extension.length)
    : name;
}
