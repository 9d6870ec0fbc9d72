import { createRequire } from "node:module";
import path from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { appRoot } from "../base/appRoot.ts";
import { sharp } from "./sharp.ts";

interface HeifImage {
  get_width(): number;
  get_height(): number;
  is_primary(): boolean;
  display(into: Pixels, done: (pixels: Pixels | null) => void): void;
  free(): void;
}
interface Pixels {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}
type LibHeif = { HeifDecoder: new () => { decode(bytes: Buffer): HeifImage[] } };

let library: LibHeif | undefined;

/** The primary picture of a HEIC file as a PNG with its colour profile, upright: by libheif and libde265. Throws where it is damaged. */
export async function heicAsPng(bytes: Buffer): Promise<Buffer> {
  library ??= await load();
  const images = new library.HeifDecoder().decode(bytes);
  try {
    const image = images.find((one) => one.is_primary()) ?? images[0];
    if (!image) throw new Error("no picture");
    const [width, height] = [image.get_width(), image.get_height()];
    const pixels = { data: new Uint8ClampedArray(width * height * 4), width, height };
    await new Promise<void>((resolve, reject) =>
      image.display(pixels, (shown) =>
        shown ? resolve() : reject(new Error("the picture's data is damaged")),
      ),
    );
    const png = await sharp(pixels.data, { raw: { width, height, channels: 4 }, limitInputPixels: false })
      .png({ compressionLevel: 0 })
      .toBuffer();
    const { icc } = await sharp(bytes, { limitInputPixels: false }).metadata();
    return icc ? withProfile(png, icc) : png;
  } finally {
    for (const image of images) image.free();
  }
}

/** What it says of damaged files, it would print among the results of a command. */
const complaints = /^(Decoding image failed|Could not )/;

async function load(): Promise<LibHeif> {
  const { log } = console;
  console.log = (...said: unknown[]) => {
    if (!complaints.test(String(said[0]))) log(...said);
  };
  return (await createRequire(path.join(appRoot(), "dist", "cli.js"))("libheif-js/wasm-bundle")) as LibHeif;
}

/** Behind the header: 8 bytes of signature, 25 of IHDR. */
const afterHeader = 33;

/** Sharp takes no profile for pixels; a PNG carries one. */
function withProfile(png: Buffer, icc: Buffer): Buffer {
  const data = Buffer.concat([Buffer.from("iCCPicc\0\0", "latin1"), deflateSync(icc)]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length - 4);
  check.writeUInt32BE(crc32(data));
  return Buffer.concat([png.subarray(0, afterHeader), length, data, check, png.subarray(afterHeader)]);
}
