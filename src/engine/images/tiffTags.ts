import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Bytes that are in memory, or of a file that is read here and there. */
export interface ByteSource {
  size: number;
  /** Fewer than `length` where the source ends. */
  read(at: number, length: number): Buffer;
  close?(): void;
}

export function inMemory(bytes: Buffer): ByteSource {
  return { size: bytes.length, read: (at, length) => bytes.subarray(at, at + length) };
}

/** Close it. */
export function fileSource(file: string): ByteSource {
  const fd = openSync(file, "r");
  const { size } = fstatSync(fd);
  return {
    size,
    read(at, length) {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - at)));
      return bytes.subarray(0, bytes.length === 0 ? 0 : readSync(fd, bytes, 0, bytes.length, at));
    },
    close: () => closeSync(fd),
  };
}

/** Values by tag; of types other than whole numbers that the tag is there, and no value. */
export type Directory = ReadonlyMap<number, readonly number[]>;

export const tags = {
  reduced: 254,
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  orientation: 274,
  stripLengths: 279,
  tileOffsets: 324,
  subDirectories: 330,
  jpegOffset: 513,
  jpegLength: 514,
  dngVersion: 50706,
} as const;

/** Bytes a value: BYTE, SHORT, LONG and IFD (TIFF 6.0, and Adobe's supplement 1). */
const sizes: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 13: 4 };
const mostValues = 64;
const mostDirectories = 64;

/**
 * Directories of a TIFF or what is built like one: the chain from the first, each with those below it. What lies outside the source, or
 * was there before, ends the walk. The magic number is not looked at: some cameras have their own.
 */
export function directories(source: ByteSource): Directory[] {
  const head = source.read(0, 8);
  const order = head.toString("latin1", 0, 2);
  if (head.length < 8 || (order !== "II" && order !== "MM")) return [];
  const little = order === "II";
  const found: Directory[] = [];
  const seen = new Set<number>();
  const walk = (at: number, isChain: boolean): void => {
    while (at >= 8 && !seen.has(at) && seen.size < mostDirectories) {
      seen.add(at);
      const read = readDirectory(source, at, little);
      if (!read) return;
      found.push(read.directory);
      for (const below of read.directory.get(tags.subDirectories) ?? []) walk(below, false);
      if (!isChain) return;
      at = read.next;
    }
  };
  walk(little ? head.readUInt32LE(4) : head.readUInt32BE(4), true);
  return found;
}

function readDirectory(
  source: ByteSource,
  at: number,
  little: boolean,
): { directory: Directory; next: number } | undefined {
  const number = (bytes: Buffer, from: number, size: number) =>
    little ? bytes.readUIntLE(from, size) : bytes.readUIntBE(from, size);
  const count = source.read(at, 2);
  if (count.length < 2) return undefined;
  const entries = number(count, 0, 2);
  const body = source.read(at + 2, entries * 12 + 4);
  if (entries === 0 || body.length < entries * 12) return undefined;
  const directory = new Map<number, number[]>();
  for (let from = 0; from < entries * 12; from += 12) {
    const size = sizes[number(body, from + 2, 2)] ?? 0;
    const n = size === 0 ? 0 : Math.min(mostValues, number(body, from + 4, 4));
    const inside = n * size <= 4 && number(body, from + 4, 4) * size <= 4;
    const values = inside
      ? body.subarray(from + 8, from + 12)
      : source.read(number(body, from + 8, 4), n * size);
    const whole = Math.floor(values.length / Math.max(1, size));
    directory.set(
      number(body, from, 2),
      Array.from({ length: Math.min(n, whole) }, (_, i) => number(values, i * size, size)),
    );
  }
  return { directory, next: body.length < entries * 12 + 4 ? 0 : number(body, entries * 12, 4) };
}
