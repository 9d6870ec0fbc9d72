import { marked } from "../../words/text.ts";
import { jpegEnd, jpegFrame, jpegOrientation } from "./jpeg.ts";
import { type ByteSource, type Directory, directories, inMemory, tags } from "./tiffTags.ts";

/**
 * Camera raw files by the largest JPEG that the camera put into them, which is how it shows the photo itself. DNG, CR2, NEF, ARW, PEF and
 * others are TIFFs whose first picture is a thumbnail, with the others in directories below it; of CR3, RAF, RW2 and ORF all the bytes are searched.
 */

/** A raw file of no use; the message is a reason in plain words. */
export class RawError extends Error {}

export interface Preview {
  at: number;
  length: number;
  /** Pixels, upright. */
  width: number;
  height: number;
  /** As in EXIF, where the JPEG itself does not tell. */
  orientation?: number;
}

/** Values of "photometric interpretation" of what comes from the sensor: colour filter array, linear raw (DNG 1.7). */
const sensor = [32803, 34892];
/** "Compression" that is JPEG: old and new. */
const jpegCompression = [6, 7];
/** Before the frame of a JPEG stand EXIF, profile and a thumbnail. */
const headBytes = 256 * 1024;
/** More than any camera writes of one photo. */
const mostSearched = 2 ** 30;
/** A photo that is seen so small hides its noise and its blur. */
const smallSide = 1000;

/** By the first bytes: whether it is one of the containers that only cameras write. */
function isSearched(head: Uint8Array): boolean {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(16, head.length)).toString("latin1");
  return /^(FUJIFILMCCD-RAW |IIU\0|IIRO|IIRS|MMOR)/.test(text) || text.startsWith("ftypcrx ", 4);
}

/** Whether the file is camera raw: where only its beginning is given, as far as that tells. */
export function isRaw(source: ByteSource): boolean {
  const head = source.read(0, 16);
  if (isSearched(head)) return true;
  if (!["II*\0", "MM\0*"].includes(head.toString("latin1", 0, 4))) return false;
  if (head.toString("latin1", 8, 10) === "CR") return true;
  const all = directories(source);
  const [first] = all;
  if (!first) return false;
  if (first.has(tags.dngVersion) || all.some((one) => sensor.includes(value(one, tags.photometric))))
    return true;
  // A picture that is not the first one, which is a thumbnail or not there.
  const isThumbnail = (value(first, tags.reduced) & 1) === 1;
  const isNone = !first.has(tags.stripOffsets) && !first.has(tags.tileOffsets);
  return (isThumbnail || isNone) && all.some((one) => jpegIn(one) !== undefined);
}

/** The largest JPEG in it. Throws RawError where there is none, or the file is cut. */
export function previewOf(source: ByteSource): Preview {
  const searched = isSearched(source.read(0, 16));
  const places = searched ? search(source) : tagged(source);
  let best: Preview | undefined;
  for (const place of places) {
    const frame = jpegFrame(source.read(place.at, Math.min(place.length, headBytes)));
    if (frame && (!best || frame.width * frame.height > best.width * best.height))
      best = { ...place, ...frame };
  }
  if (!best) throw new RawError(marked("the camera raw file has no JPEG preview; export it as TIFF or JPEG"));
  const orientation = jpegOrientation(source.read(best.at, Math.min(best.length, headBytes)));
  const told = orientation ?? orientationOf(source);
  const { width, height } = best;
  const upright = (told ?? 1) >= 5 ? { width: height, height: width } : { width, height };
  return {
    ...best,
    ...upright,
    ...(orientation === undefined && told !== undefined ? { orientation: told } : {}),
  };
}

/** The preview as a JPEG file, which tells how it is turned. Throws RawError. */
export function rawAsJpeg(bytes: Buffer): { jpeg: Buffer; note?: string } {
  const { at, length, orientation = 1, width, height } = previewOf(inMemory(bytes));
  const jpeg = bytes.subarray(at, at + length);
  const note =
    Math.min(width, height) < smallSide
      ? { note: `its preview, by which it is judged, has only ${width} x ${height} pixels` }
      : {};
  if (orientation === 1) return { jpeg, ...note };
  return { jpeg: Buffer.concat([jpeg.subarray(0, 2), exifOf(orientation), jpeg.subarray(2)]), ...note };
}

type Place = Pick<Preview, "at" | "length">;

function tagged(source: ByteSource): Place[] {
  const places = directories(source).flatMap((one) => jpegIn(one) ?? []);
  // What is left of a cut file would be a thumbnail.
  if (places.some(({ at, length }) => at + length > source.size))
    throw new RawError(marked("the camera raw file is truncated"));
  return places;
}

function jpegIn(directory: Directory): Place | undefined {
  const at = value(directory, tags.jpegOffset);
  const length = value(directory, tags.jpegLength);
  if (at > 0 && length > 0) return { at, length };
  const strips = directory.get(tags.stripOffsets);
  if (strips?.length !== 1 || !jpegCompression.includes(value(directory, tags.compression))) return undefined;
  const strip = { at: strips[0]!, length: value(directory, tags.stripLengths) };
  return strip.at > 0 && strip.length > 0 ? strip : undefined;
}

/** All JPEGs in the bytes; those inside others, their thumbnails, are none. */
function search(source: ByteSource): Place[] {
  const bytes = source.read(0, Math.min(source.size, mostSearched));
  const places: Place[] = [];
  const start = Buffer.from([0xff, 0xd8, 0xff]);
  for (let at = bytes.indexOf(start); at >= 0; ) {
    let next = at + 1;
    if (jpegFrame(bytes.subarray(at, at + headBytes))) {
      const rest = bytes.subarray(at);
      const length = Math.min(rest.length, (jpegEnd(rest) ?? rest.length) + 2);
      places.push({ at, length });
      next = at + length;
    }
    at = bytes.indexOf(start, next);
  }
  return places;
}

function orientationOf(source: ByteSource): number | undefined {
  // Canon's CR3 keeps the directory in a box of this name.
  const box =
    source.read(4, 4).toString("latin1") === "ftyp" ? source.read(0, headBytes).indexOf("CMT1") : -4;
  if (box === -1) return undefined;
  const told = value(
    directories(box < 0 ? source : inMemory(source.read(box + 4, headBytes)))[0],
    tags.orientation,
  );
  return told >= 1 && told <= 8 ? told : undefined;
}

/** The first value of a tag, 0 where there is none. */
function value(directory: Directory | undefined, tag: number): number {
  return directory?.get(tag)?.[0] ?? 0;
}

/** An EXIF segment that tells the orientation alone: one directory with one SHORT, whose value is at byte 28. */
function exifOf(orientation: number): Buffer {
  const segment = Buffer.from(
    "ffe10022457869660000" + "49492a000800000001001201030001000000" + "0000000000000000",
    "hex",
  );
  segment.writeUInt16LE(orientation, 28);
  return segment;
}
