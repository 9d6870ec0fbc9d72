import { decode } from "fast-bmp";
import { marked } from "../../words/text.ts";

export interface BmpHeader {
  width: number;
  height: number;
  bits: number;
  compression: number;
  topDown: boolean;
  /** True when the file declares an alpha mask; the fourth byte of other 32-bit files is padding. */
  hasAlpha: boolean;
  masks: [red: number, green: number, blue: number];
  pixelOffset: number;
  paletteOffset: number;
  paletteEntry: 3 | 4;
  paletteSize: number;
}

/** An undecodable BMP; the message is a reason in plain words. */
export class BmpError extends Error {}

const standardMasks = [0x00ff0000, 0x0000ff00, 0x000000ff] as const;
const v5HeaderSize = 124;

/** Reads the header only: 14 bytes file header, then one of the OS/2 or Windows information headers. */
export function readBmpHeader(file: Buffer): BmpHeader {
  if (file.length < 26) throw new BmpError(marked("the BMP header is truncated"));
  const headerSize = file.readUInt32LE(14);
  const core = headerSize === 12;
  if (!core && (headerSize < 40 || headerSize > 1024))
    throw new BmpError(marked("the BMP header is of an unknown kind"));
  if (file.length < 14 + headerSize) throw new BmpError(marked("the BMP header is truncated"));
  const rawHeight = core ? file.readUInt16LE(20) : file.readInt32LE(22);
  const width = core ? file.readUInt16LE(18) : file.readInt32LE(18);
  const bits = file.readUInt16LE(core ? 24 : 28);
  const compression = core ? 0 : file.readUInt32LE(30);
  if (width <= 0 || rawHeight === 0) throw new BmpError(marked("the BMP header gives an empty picture"));
  const masksFollow = compression === 3 && headerSize === 40;
  const hasMasks = masksFollow || (compression === 3 && headerSize >= 52);
  if (hasMasks && file.length < 66) throw new BmpError(marked("the BMP header is truncated"));
  const maskAt = (at: number) => file.readUInt32LE(at);
  const used = core ? 0 : file.readUInt32LE(46);
  return {
    width,
    height: Math.abs(rawHeight),
    bits,
    compression,
    topDown: rawHeight < 0,
    hasAlpha: hasMasks && headerSize >= 56 && file.length >= 70 && maskAt(66) === 0xff000000,
    masks: hasMasks ? [maskAt(54), maskAt(58), maskAt(62)] : [...standardMasks],
    pixelOffset: file.readUInt32LE(10),
    paletteOffset: 14 + headerSize + (masksFollow ? 12 : 0),
    paletteEntry: core ? 3 : 4,
    paletteSize: bits > 8 ? 0 : Math.min(used || 2 ** bits, 2 ** bits),
  };
}

/**
 * Decodes 1, 8, 24 and 32-bit BMP files to interleaved RGB, or RGBA where the file declares alpha.
 * fast-bmp reads the pixels only: it takes palette indices for grey, a top-down height for a huge one, and wants the masks
 * of a V5 header, so it is given a normalised header, and palette and row order are applied here.
 */
export function decodeBmp(file: Buffer): {
  width: number;
  height: number;
  channels: 3 | 4;
  data: Uint8Array;
} {
  const header = readBmpHeader(file);
  refuseUnsupported(header);
  const { width, height, bits } = header;
  const size = Math.ceil((width * bits) / 32) * 4 * height;
  if (header.pixelOffset + size > file.length) throw new BmpError(marked("the file is truncated"));
  const decoded = decode(normalised(file, header, size)).data as Uint8Array;
  const channels = header.hasAlpha ? 4 : 3;
  const data = new Uint8Array(width * height * channels);
  const stride = bits === 32 ? 4 : bits === 24 ? 3 : 1;
  const palette = bits <= 8 ? readPalette(file, header) : undefined;
  for (let y = 0; y < height; y++) {
    let from = (header.topDown ? height - 1 - y : y) * width * stride;
    let to = y * width * channels;
    for (let x = 0; x < width; x++, from += stride, to += channels) {
      if (palette) {
        const at = decoded[from]! * 3;
        if (at >= palette.length) throw new BmpError(marked("a pixel points outside the palette"));
        data[to] = palette[at]!;
        data[to + 1] = palette[at + 1]!;
        data[to + 2] = palette[at + 2]!;
      } else {
        for (let c = 0; c < channels; c++) data[to + c] = decoded[from + c]!;
      }
    }
  }
  return { width, height, channels, data };
}

function refuseUnsupported(header: BmpHeader): void {
  const way = "; save it as PNG instead";
  if (header.compression === 1 || header.compression === 2)
    throw new BmpError(`run-length encoded BMP is not supported${way}`);
  if (header.compression !== 0 && header.compression !== 3)
    throw new BmpError(`BMP compression ${header.compression} is not supported${way}`);
  if (![1, 8, 24, 32].includes(header.bits))
    throw new BmpError(`BMP with ${header.bits} bits a pixel is not supported (1, 8, 24 and 32 are)${way}`);
  if (header.bits === 32 && header.masks.some((mask, i) => mask !== standardMasks[i]))
    throw new BmpError(`BMP with unusual colour masks is not supported${way}`);
}

/** The same pixels behind a bottom-up V5 header with standard masks. */
function normalised(file: Buffer, header: BmpHeader, size: number): Buffer {
  const start = 14 + v5HeaderSize;
  const out = Buffer.alloc(start + size);
  out.write("BM", 0, "latin1");
  out.writeUInt32LE(out.length, 2);
  out.writeUInt32LE(start, 10);
  out.writeUInt32LE(v5HeaderSize, 14);
  out.writeInt32LE(header.width, 18);
  out.writeInt32LE(header.height, 22);
  out.writeUInt16LE(1, 26);
  out.writeUInt16LE(header.bits, 28);
  for (const [i, mask] of standardMasks.entries()) out.writeUInt32LE(mask, 54 + 4 * i);
  file.copy(out, start, header.pixelOffset, header.pixelOffset + size);
  return out;
}

/** RGB triples; the file has them as BGR or BGR0. */
function readPalette(file: Buffer, header: BmpHeader): Uint8Array {
  const { paletteOffset, paletteEntry, paletteSize } = header;
  if (paletteOffset + paletteSize * paletteEntry > file.length)
    throw new BmpError(marked("the palette is truncated"));
  const palette = new Uint8Array(paletteSize * 3);
  for (let i = 0; i < paletteSize; i++)
    for (let c = 0; c < 3; c++) palette[i * 3 + c] = file[paletteOffset + i * paletteEntry + 2 - c]!;
  return palette;
}
