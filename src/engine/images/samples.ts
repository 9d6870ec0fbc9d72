import { significant } from "../../words/figure.ts";
import { inEnglish, marked, say } from "../../words/text.ts";
import { sharp } from "./sharp.ts";

/**
 * TIFF files hold more than 8-bit pictures: floats, 32-bit numbers, and 8 or 12 bits in 16. What range their values have, no field
 * says, so the values themselves decide. The rules are those of docs/datasets.md.
 */

/** Interleaved 8-bit pixels; `channels` 1 or 3, and one more for alpha. */
export interface Samples {
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  data: Uint8Array;
  /** What was assumed, where that is not plain. */
  note?: string;
}

/** Values that cannot be taken for a picture; the message is a reason in plain words. */
export class SampleError extends Error {}

type Values = Uint16Array | Uint32Array | Int32Array | Float32Array;
/** Signed numbers of 8 and 16 bits are not among them: libvips takes negative ones for 0 before anybody sees them. */
const arrays = {
  ushort: Uint16Array,
  uint: Uint32Array,
  int: Int32Array,
  float: Float32Array,
} as const;

const kinds: Record<string, string> = {
  float: "floats",
  double: "floats",
  char: "signed values",
  short: "signed values",
};

/** Pictures of one colour or three; others are converted by their profiles as ever. */
const plainSpaces = ["b-w", "grey16", "rgb16", "scrgb", "srgb", "rgb"];

interface SampleFormat {
  depth: keyof typeof arrays;
  space: string;
  colours: 1 | 3;
  hasAlpha: boolean;
}

/** A TIFF's picture by the range of its values; undefined for one that everybody reads alike. Throws SampleError. */
export async function unusualSamples(tiff: Buffer): Promise<Samples | undefined> {
  const format = await sampleFormat(tiff);
  return format && readSamples(tiff, format);
}

/** How a TIFF's values are stored; undefined for 8 bits and for colour spaces that are converted as they are. */
async function sampleFormat(tiff: Buffer): Promise<SampleFormat | undefined> {
  const { depth, space, channels, hasAlpha, bitsPerSample, icc } = await sharp(tiff, {
    limitInputPixels: false,
  }).metadata();
  if (depth === "uchar" || depth === undefined || !plainSpaces.includes(space ?? "")) return undefined;
  const colours = channels - (hasAlpha ? 1 : 0);
  if (colours !== 1 && colours !== 3) return undefined;
  if (!(depth in arrays) || (depth === "float" && bitsPerSample !== 32))
    throw new SampleError(
      inEnglish(
        say`TIFF of ${bitsPerSample ?? "?"}-bit ${kinds[depth] ?? depth} is not supported; save it with 8 or 16 bits`,
      ),
    );
  if (depth === "float" && icc)
    throw new SampleError(
      marked("TIFF of floats with a colour profile is not supported; save it with 8 or 16 bits"),
    );
  return { depth: depth as keyof typeof arrays, space: space!, colours, hasAlpha };
}

/** The picture as 8 bits; undefined where the values fill all 16 bits, which is what everybody takes them for. */
async function readSamples(tiff: Buffer, format: SampleFormat): Promise<Samples | undefined> {
  const { depth, space, colours, hasAlpha } = format;
  const { data, info } = await sharp(tiff, { failOn: "error", limitInputPixels: false, autoOrient: true })
    .pipelineColourspace(space)
    .toColourspace(space)
    .raw({ depth })
    .toBuffer({ resolveWithObject: true });
  const channels = (colours + (hasAlpha ? 1 : 0)) as Samples["channels"];
  if (info.channels !== channels)
    throw new SampleError(
      inEnglish(
        say`TIFF with ${info.channels} channels of ${depth} is not supported; save it with 8 or 16 bits`,
      ),
    );
  const values: Values = new arrays[depth](
    data.buffer,
    data.byteOffset,
    data.byteLength / arrays[depth].BYTES_PER_ELEMENT,
  );
  const range = rangeOf(values, depth, channels, colours);
  if (range === undefined) return undefined;
  const alpha = hasAlpha ? alphaScale(values, depth, channels) : 1;
  const out = new Uint8ClampedArray(values.length);
  for (let at = 0; at < values.length; at += channels) {
    for (let c = 0; c < colours; c++) out[at + c] = values[at + c]! * range.scale;
    if (hasAlpha) out[at + colours] = values[at + colours]! * alpha;
  }
  const { width, height } = info;
  return { width, height, channels, data: new Uint8Array(out.buffer), note: range.note };
}

interface Range {
  /** To 0..255. */
  scale: number;
  note?: string;
}

/** A little over: scaling a picture by a sharp filter overshoots. */
const overshoot = 0.1;
/** A picture whose brightest value is less is black on the scale of 0 to 255. */
const dark = 32;
const most12Bits = 4095;

function rangeOf(
  values: Values,
  depth: SampleFormat["depth"],
  channels: number,
  colours: number,
): Range | undefined {
  let [low, high, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let at = 0; at < values.length; at += channels) {
    for (let c = at; c < at + colours; c++) {
      const value = values[c]!;
      if (value < low) low = value;
      if (value > high) high = value;
      sum += value;
    }
    if (depth === "ushort" && high > most12Bits) return undefined;
  }
  // One that is no number makes the sum none.
  if (!Number.isFinite(sum))
    throw new SampleError(marked("the TIFF holds values that are no numbers; save it with 8 or 16 bits"));
  const unknown = new SampleError(
    inEnglish(
      say`the TIFF's values go from ${significant(low)} to ${significant(high)}, a range that is not known; save it with 8 or 16 bits`,
    ),
  );
  if (depth === "float") {
    if (low >= -overshoot && high <= 1 + overshoot) return { scale: 255 };
    if (low >= -255 * overshoot && high >= dark && high <= 255 * (1 + overshoot)) return { scale: 1 };
    throw unknown;
  }
  if (low < 0) throw unknown;
  const note = (bits: number) =>
    depth === "ushort" && high > 0
      ? { note: inEnglish(say`its 16-bit values end at ${high}: they are read as ${bits} bits`) }
      : {};
  if (high <= 255) return { scale: 1, ...note(8) };
  if (high <= most12Bits) return { scale: 255 / most12Bits, ...note(12) };
  if (high <= 65_535) return { scale: 1 / 257 };
  throw unknown;
}

/** Alpha mostly fills its type, whatever the colours do. */
function alphaScale(values: Values, depth: SampleFormat["depth"], channels: number): number {
  let high = 0;
  for (let at = channels - 1; at < values.length; at += channels) high = Math.max(high, values[at]!);
  if (depth === "float") return high <= 1 + overshoot ? 255 : 1;
  if (high <= 255) return 1;
  return high <= most12Bits ? 255 / most12Bits : 1 / 257;
}
