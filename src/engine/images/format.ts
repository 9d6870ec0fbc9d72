import { isRaw } from "./raw.ts";
import { inMemory } from "./tiffTags.ts";

/** File formats that are recognised, whatever a file is called. */
export type ImageFormat = "jpeg" | "png" | "webp" | "avif" | "heic" | "tiff" | "gif" | "bmp" | "jxl" | "raw";

/** File name endings (lower case, no dot) that make a file an image of the dataset, and the format each promises. */
export const formatOfExtension: Readonly<Record<string, ImageFormat>> = {
  jpg: "jpeg",
  jpeg: "jpeg",
  jpe: "jpeg",
  jfif: "jpeg",
  png: "png",
  webp: "webp",
  avif: "avif",
  tif: "tiff",
  tiff: "tiff",
  gif: "gif",
  heic: "heic",
  heif: "heic",
  hif: "heic",
  jxl: "jxl",
  bmp: "bmp",
  dng: "raw",
  cr2: "raw",
  cr3: "raw",
  nef: "raw",
  nrw: "raw",
  arw: "raw",
  sr2: "raw",
  raf: "raw",
  rw2: "raw",
  orf: "raw",
  pef: "raw",
  srw: "raw",
};

export const imageExtensions: readonly string[] = Object.keys(formatOfExtension);

const displayNames: Record<ImageFormat, string> = {
  jpeg: "JPEG",
  png: "PNG",
  webp: "WebP",
  avif: "AVIF",
  heic: "HEIC",
  tiff: "TIFF",
  gif: "GIF",
  bmp: "BMP",
  jxl: "JPEG XL",
  raw: "camera raw",
};

export function displayName(format: ImageFormat): string {
  return displayNames[format];
}

/** Tells the format by the first bytes; undefined for anything that is not one of the known formats. */
export function sniffFormat(head: Uint8Array): ImageFormat | undefined {
  const starts = (at: number, bytes: string) =>
    head.length >= at + bytes.length && [...bytes].every((char, i) => head[at + i] === char.charCodeAt(0));
  if (starts(0, "\xff\xd8\xff")) return "jpeg";
  if (starts(0, "\x89PNG\r\n\x1a\n")) return "png";
  if (starts(0, "RIFF") && starts(8, "WEBP")) return "webp";
  if (starts(0, "GIF87a") || starts(0, "GIF89a")) return "gif";
  const view = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (isRaw(inMemory(view))) return "raw";
  // Classic TIFF (42) and BigTIFF (43), both byte orders.
  if (["II*\0", "MM\0*", "II+\0", "MM\0+"].some((mark) => starts(0, mark))) return "tiff";
  if (starts(0, "BM")) return "bmp";
  if (starts(0, "\xff\x0a") || starts(0, "\0\0\0\x0cJXL \r\n\x87\n")) return "jxl";
  if (starts(4, "ftyp")) {
    const end = Math.min(head.length, Math.max(16, view.readUInt32BE(0)), 256);
    // Major brand, then (after the minor version) the compatible ones: HEVC pictures list "mif1" too, so order matters.
    const brands: string[] = [];
    for (let at = 8; at + 4 <= end; at += at === 8 ? 8 : 4) brands.push(view.toString("latin1", at, at + 4));
    if (brands.some((brand) => brand === "avif" || brand === "avis")) return "avif";
    if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand))) return "heic";
  }
  return undefined;
}

/** Whether a file's name ends as an image's does. */
export function isImageName(name: string): boolean {
  const dot = name.lastIndexOf(".");
  return dot >= 0 && Object.hasOwn(formatOfExtension, name.slice(dot + 1).toLowerCase());
}
