import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { appRoot } from "../base/appRoot.ts";

/** Size and orientation of JPEG XL from its beginning (ISO/IEC 18181-1, C.2 and C.3.2), and its pixels by libjxl. */

interface Decoded {
  width: number;
  height: number;
  /** RGBA in sRGB, upright. */
  data: Uint8Array;
}

/** Pixels after the orientation; undefined where the beginning does not tell. */
export function jxlSize(head: Buffer): { width: number; height: number } | undefined {
  const stream = codestream(head);
  if (!stream || stream.length < 16) return undefined;
  const bits = bitsOf(stream.subarray(2));
  const [height, width] = sides(bits);
  // All of the metadata is as usual, or orientation comes first of what is not.
  const turned = bits(1) === 0 && bits(1) === 1 && bits(3) >= 4;
  return turned ? { width: height, height: width } : { width, height };
}

const ratios = [0, 1, 12 / 10, 4 / 3, 3 / 2, 16 / 9, 5 / 4, 2];

function sides(bits: (n: number) => number): [height: number, width: number] {
  const small = bits(1) === 1;
  const side = () => (small ? (bits(5) + 1) * 8 : bits([9, 13, 18, 30][bits(2)]!) + 1);
  const height = side();
  const ratio = ratios[bits(3)]!;
  return [height, ratio === 0 ? side() : Math.floor(height * ratio + 1e-9)];
}

/** Reads bits, the lowest of a byte first; 0 after the end. */
function bitsOf(bytes: Buffer): (n: number) => number {
  let at = 0;
  return (n) => {
    let value = 0;
    for (let i = 0; i < n; i++, at++) value += (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) * 2 ** i;
    return value;
  };
}

function codestream(head: Buffer): Buffer | undefined {
  if (head[0] === 0xff) return head;
  for (let at = 12; at + 16 <= head.length; ) {
    const type = head.toString("latin1", at + 4, at + 8);
    const size = head.readUInt32BE(at);
    const start = at + (size === 1 ? 16 : 8);
    if (type === "jxlc") return head.subarray(start);
    if (type === "jxlp") return head.subarray(start + 4);
    if (size === 0) return undefined;
    at += size === 1 ? Number(head.readBigUInt64BE(at + 8)) : Math.max(8, size);
  }
  return undefined;
}

type Decoder = { decode(bytes: Buffer): Decoded | null };
let decoder: Promise<Decoder> | undefined;

/** Throws where the data is not whole. */
export async function decodeJxl(bytes: Buffer): Promise<Decoded> {
  decoder ??= load();
  const image = (await decoder).decode(bytes);
  if (!image) throw new Error("no picture");
  return image;
}

/** Of the global that Node has and its types lack. */
interface WebAssemblies {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<object>;
}

async function load(): Promise<Decoder> {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblies };
  const script = createRequire(path.join(appRoot(), "dist", "cli.js")).resolve(
    "@jsquash/jxl/codec/dec/jxl_dec.js",
  );
  const wasm = await WebAssembly.compile(await readFile(script.replace(/\.js$/, ".wasm")));
  // What it makes a picture with is the browser's.
  (globalThis as { ImageData?: unknown }).ImageData ??= class {
    data: Uint8ClampedArray;
    width: number;
    height: number;
    constructor(data: Uint8ClampedArray, width: number, height: number) {
      this.data = data;
      this.width = width;
      this.height = height;
    }
  };
  const { default: start } = (await import(pathToFileURL(script).href)) as {
    default(options: object): Promise<Decoder>;
  };
  return start({
    noInitialRun: true,
    instantiateWasm(imports: object, done: (instance: object) => void) {
      WebAssembly.instantiate(wasm, imports).then(done);
      return {};
    },
  });
}
