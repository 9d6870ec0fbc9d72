import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { canonicalJson } from "../base/keys.ts";

/** Of a larger file the rest counts by size and time. */
const mostBytes = 64 * 2 ** 20;

export function consentDigest(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** A digest of what is in a file, links followed; null where there is no plain file. */
export function fileDigest(file: string): string | null {
  let fd: number;
  try {
    // To open a named pipe would wait for its other end.
    if (!statSync(file).isFile()) return null;
    fd = openSync(file, "r");
  } catch {
    return null;
  }
  try {
    const { size, mtimeMs } = fstatSync(fd);
    const hash = createHash("sha256");
    const piece = Buffer.alloc(Math.min(2 ** 20, Math.max(1, size)));
    for (let at = 0; at < Math.min(size, mostBytes); ) {
      const read = readSync(fd, piece, 0, piece.length, at);
      if (read === 0) break;
      hash.update(piece.subarray(0, read));
      at += read;
    }
    return hash.update(size > mostBytes ? `${size} ${mtimeMs}` : `${size}`).digest("hex");
  } finally {
    closeSync(fd);
  }
}
