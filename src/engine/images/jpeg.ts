import { directories, inMemory, tags } from "./tiffTags.ts";

/**
 * Where the picture of a JPEG has its end marker. Not the last two bytes decide: cameras append films and previews, and thumbnails
 * inside have end markers of their own. undefined where there is none.
 */
export function jpegEnd(bytes: Buffer): number | undefined {
  return markers(bytes).find(({ marker }) => marker === endOfImage)?.at;
}

/**
 * Whether the scans together hold all there is of every component. A progressive file that was cut between two scans decodes without a
 * complaint, only coarsely.
 */
export function jpegScansComplete(bytes: Buffer): boolean {
  let components: number | undefined;
  /** By component and coefficient: bits that are still to come; undefined before its first scan. */
  const missing = new Map<number, (number | undefined)[]>();
  for (const { marker, at } of markers(bytes)) {
    if (isFrame(marker)) components ??= bytes[at + 9];
    if (marker !== startOfScan) continue;
    const n = bytes[at + 4] ?? 0;
    const [from = 0, to = 0, bits = 0] = bytes.subarray(at + 5 + 2 * n, at + 8 + 2 * n);
    for (let i = 0; i < n; i++) {
      const id = bytes[at + 5 + 2 * i]!;
      const one = missing.get(id) ?? new Array<number | undefined>(64).fill(undefined);
      missing.set(id, one);
      for (let k = from; k <= Math.min(63, to); k++) one[k] = bits & 15;
    }
  }
  return missing.size === components && [...missing.values()].every((one) => one.every((bits) => bits === 0));
}

/** Whether the frame is progressive, which takes several times the memory to decode. */
export function jpegIsProgressive(bytes: Buffer): boolean {
  return markers(bytes, { untilScan: true }).some(({ marker }) => isFrame(marker) && marker % 4 === 2);
}

/** Size of a picture that every decoder reads: 8 bits, grey or colour, not lossless. It may be the beginning of a file. */
export function jpegFrame(bytes: Buffer): { width: number; height: number } | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const frame = markers(bytes, { untilScan: true }).find(({ marker }) => isFrame(marker));
  if (!frame || frame.marker > 0xc2 || frame.at + 10 > bytes.length) return undefined;
  const [height, width] = [bytes.readUInt16BE(frame.at + 5), bytes.readUInt16BE(frame.at + 7)];
  const isUsual = bytes[frame.at + 4] === 8 && [1, 3].includes(bytes[frame.at + 9]!);
  return isUsual && width > 0 && height > 0 ? { width, height } : undefined;
}

/** What its EXIF says, 1 to 8; undefined where there is none. */
export function jpegOrientation(bytes: Buffer): number | undefined {
  for (const { marker, at } of markers(bytes, { untilScan: true })) {
    if (marker !== 0xe1 || bytes.toString("latin1", at + 4, at + 10) !== "Exif\0\0") continue;
    const tiff = inMemory(bytes.subarray(at + 10, at + 2 + bytes.readUInt16BE(at + 2)));
    const told = directories(tiff)[0]?.get(tags.orientation)?.[0];
    if (told !== undefined && told >= 1 && told <= 8) return told;
  }
  return undefined;
}

const [startOfScan, endOfImage] = [0xda, 0xd9];

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

interface Marker {
  marker: number;
  /** Offset of its 0xff. */
  at: number;
}

/** The markers of the outer picture in their order, up to its end marker or as far as they can be followed. */
function markers(bytes: Buffer, { untilScan = false } = {}): Marker[] {
  const found: Marker[] = [];
  for (let at = 2; at + 1 < bytes.length; ) {
    if (bytes[at] !== 0xff) return found;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    found.push({ marker, at });
    if (marker === endOfImage || at + 4 > bytes.length) return found;
    if (marker === startOfScan && untilScan) return found;
    const standsAlone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    at += standsAlone ? 2 : 2 + bytes.readUInt16BE(at + 2);
    if (marker === startOfScan) at = afterEntropyData(bytes, at);
  }
  return found;
}

/** The next marker that is neither a stuffed 0xff nor a restart. */
function afterEntropyData(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1];
    if (next === undefined) return bytes.length;
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return bytes.length;
}
