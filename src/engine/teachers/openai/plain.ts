/**
 * Width and height of a JPEG or PNG whose header shows that every decoder sees the same 8-bit sRGB pixels in it: no profile, no EXIF, no
 * transparency. undefined for anything else; then sharp is asked, which costs as much as all the rest of a request.
 */
export function plainSize(bytes: Buffer): { width: number; height: number } | undefined {
  return bytes[0] === 0xff ? plainJpeg(bytes) : plainPng(bytes);
}

function plainJpeg(bytes: Buffer): { width: number; height: number } | undefined {
  for (let at = 2; at + 10 <= bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff) return undefined;
    const isBaseline = marker === 0xc0 || marker === 0xc2;
    if (isBaseline) {
      const [precision, components] = [bytes[at + 4], bytes[at + 9]];
      if (precision !== 8 || (components !== 1 && components !== 3)) return undefined;
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    }
    // JFIF, quantisation and Huffman tables, restart interval, comments; EXIF (e1), profiles (e2) and Adobe's colours (ee) are not plain.
    if (![0xe0, 0xdb, 0xc4, 0xdd, 0xfe].includes(marker)) return undefined;
  }
  return undefined;
}

const harmlessChunks = ["IHDR", "sRGB", "gAMA", "pHYs", "tEXt", "zTXt", "iTXt", "tIME", "bKGD"];

function plainPng(bytes: Buffer): { width: number; height: number } | undefined {
  if (bytes.length < 33 || bytes.toString("latin1", 12, 16) !== "IHDR") return undefined;
  const [depth, colour] = [bytes[24], bytes[25]];
  if (depth !== 8 || (colour !== 0 && colour !== 2)) return undefined;
  for (let at = 8; at + 8 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (type === "IDAT") return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
    if (!harmlessChunks.includes(type)) return undefined;
  }
  return undefined;
}
