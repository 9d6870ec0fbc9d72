import path from "node:path";

/** With forward slashes on every system. */
export function toPosix(file: string): string {
  return path.sep === "\\" ? file.replaceAll("\\", "/") : file;
}
