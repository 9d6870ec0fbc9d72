/**
 * Size of a JPEG or PNG, after the EXIF orientation, from the beginning of the file. These two are nearly all files of a
 * dataset, and asking sharp costs some hundred times more, mostly in garbage. undefined whenever anything is unusual: then
 * sharp decides.
 */
export function quickSize(head: Buffer): { width: number; height: number } | undefined {
  if (head[0] === 0xff && head[1] === 0xd8) return jpegSize(head);
  if (head.toString("latin1", 1, 4) === "PNG") return pngSize(head);
  return undefined;
}

function jpegSize(head: Buffer): { width: number; height: number } | undefined {
  let turned: boolean | undefined;
  for (let at = 2; at + 9 <= head.length; ) {
    const marker = head[at + 1]!;
    // Markers without a length, fill bytes and the scan itself have no place before the frame header.
    if (head[at] !== 0xff || marker < 0xc0 || (marker >= 0xd0 && marker <= 0xda) || marker === 0xff)
      return undefined;
    const length = head.readUInt16BE(at + 2);
    const isFrame = marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      const height = head.readUInt16BE(at + 5);
      const width = head.readUInt16BE(at + 7);
      if (width === 0 || height === 0) return undefined;
      return turned ? { width: height, height: width } : { width, height };
    }
    if (marker === 0xe1 && turned === undefined && head.toString("latin1", at + 4, at + 10) === "Exif\0\0") {
      if (at + 2 + length > head.length) return undefined;
      turned = isTurned(head.subarray(at + 10, at + 2 + length));
      if (turned === undefined) return undefined;
    }
    at += 2 + length;
  }
  return undefined;
}

/** Whether EXIF data swaps width and height: orientations 5 to 8. undefined if it cannot be told. */
function isTurned(tiff: Buffer): boolean | undefined {
  if (tiff.length < 14) return undefined;
  const order = tiff.toString("latin1", 0, 2);
  if (order !== "II" && order !== "MM") return undefined;
  const u16 = (at: number) => (order === "II" ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const directory = order === "II" ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (directory + 2 > tiff.length) return undefined;
  const entries = u16(directory);
  if (directory + 2 + entries * 12 > tiff.length) return undefined;
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + i * 12;
    if (u16(at) !== 0x0112) continue;
    const short = 3;
    if (u16(at + 2) !== short) return undefined;
    const orientation = u16(at + 8);
    return orientation >= 5 && orientation <= 8;
  }
  return false;
}

function pngSize(head: Buffer): { width: number; height: number } | undefined {
  if (head.length < 33 || head.toString("latin1", 12, 16) !== "IHDR") return undefined;
  const width = head.readUInt32BE(16);
  const height = head.readUInt32BE(20);
  if (width === 0 || height === 0 || width > 0x7fffffff || height > 0x7fffffff) return undefined;
  // An eXIf chunk may turn the picture; it may also follow the pixels, where only the whole file shows it.
  for (let at = 33; at + 8 <= head.length; at += 12 + head.readUInt32BE(at)) {
    const type = head.toString("latin1", at + 4, at + 8);
    if (type === "eXIf") return undefined;
    if (type === "IDAT") return { width, height };
  }
  return undefined;
}
