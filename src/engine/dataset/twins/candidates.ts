import { setImmediate } from "node:timers/promises";
import { throwIfCancelled } from "../../base/errors.ts";
import { windows, words } from "./signature.ts";

/** Images by their signatures. In memory are the hashes of whole pictures alone: those of their windows are needed once. */
export interface Signatures {
  /** `words` numbers an image. */
  wholes: Uint32Array;
  /** `windows.length * words` numbers; undefined for an image that has gone meanwhile. */
  windowsOf(image: number): Uint32Array | undefined;
}

/** `part` may show the window of `whole`; both count from 0. */
export interface Candidate {
  whole: number;
  part: number;
  window: number;
}

/** Bits by which two hashes may differ. */
const mostBits = 10;
/** More than any picture has versions of that are compared one by one: frames of a film would make millions of pairs. */
const mostEach = 64;
const perPause = 500;
const chunks = 4;
const chunkBits = 16;

/** The hashes of whole pictures by one of their four 16-bit parts: `images` and the other `half` of their hash, bucket by bucket. */
interface Buckets {
  starts: Uint32Array;
  ends: Uint32Array;
  images: Uint32Array;
  halves: Uint32Array;
}

/**
 * Pairs of pictures where the hash of one is near a window's hash of the other, without a comparison of all: the hashes of whole
 * pictures stand in a multi-index over their four 16-bit parts (Norouzi, Punjani and Fleet, 2012), and each window of each picture is
 * looked up in it with one bit changed. So all are found that differ by 7 bits at most, and many up to 10. The index of a million pictures
 * takes 32 MB, which a processor's cache nearly holds. Nothing is drawn at random, so the same images give the same pairs; only of a
 * picture with more than 64 near ones it depends on which came first. Only pairs with a fresh one.
 */
export async function* candidates(
  signatures: Signatures,
  isFresh: Uint8Array,
  signal?: AbortSignal,
): AsyncGenerator<Candidate> {
  const count = signatures.wholes.length / words;
  const each = new Uint8Array(count);
  const all = indexOf(signatures, () => true);
  const fresh = isFresh.includes(0) ? indexOf(signatures, (i) => isFresh[i] === 1) : all;
  for (let whole = 0; whole < count; whole++) {
    if (whole % perPause === 0) {
      throwIfCancelled(signal);
      await setImmediate();
    }
    const near = nearest(signatures, whole, isFresh[whole] ? all : fresh, each);
    for (const [part, { window }] of near) {
      each[part]! += 1;
      yield { whole, part, window };
    }
  }
}

/** The wholes that are near a window of a picture, each with the window that is nearest. */
function nearest(
  { wholes, windowsOf }: Signatures,
  whole: number,
  index: readonly Buckets[],
  had: Uint8Array,
): Map<number, { window: number; bits: number }> {
  const near = new Map<number, { window: number; bits: number }>();
  const values = windowsOf(whole);
  if (!values) return near;
  for (let window = 0; window < windows.length; window++) {
    const low = values[window * words]!;
    const high = values[window * words + 1]!;
    for (let chunk = 0; chunk < chunks; chunk++) {
      const { starts, ends, images, halves } = index[chunk]!;
      const key = chunkOf(low, high, chunk);
      const half = chunk < 2 ? high : low;
      for (let bit = -1; bit < chunkBits; bit++) {
        const bucket = bit < 0 ? key : key ^ (1 << bit);
        for (let n = starts[bucket]!; n < ends[bucket]!; n++) {
          const other = ones(half ^ halves[n]!);
          if (other > mostBits) continue;
          const part = images[n]!;
          if (had[part]! >= mostEach) {
            // It is not met again: the last of the bucket takes its place.
            const last = --ends[bucket]!;
            images[n] = images[last]!;
            halves[n--] = halves[last]!;
            continue;
          }
          const own = part * words;
          const bits = other + ones(chunk < 2 ? low ^ wholes[own]! : high ^ wholes[own + 1]!);
          if (bits > mostBits || part === whole || (near.get(part)?.bits ?? 99) <= bits) continue;
          near.set(part, { window, bits });
        }
      }
    }
  }
  return near;
}

function indexOf({ wholes }: Signatures, isIn: (image: number) => boolean): Buckets[] {
  const members: number[] = [];
  for (let i = 0; i < wholes.length / words; i++) if (isIn(i)) members.push(i);
  const hashAt = (image: number, word: number) => wholes[image * words + word]!;
  return Array.from({ length: chunks }, (_, chunk) => {
    const keyOf = (image: number) => chunkOf(hashAt(image, 0), hashAt(image, 1), chunk);
    const starts = new Uint32Array(2 ** chunkBits + 1);
    for (const image of members) starts[keyOf(image) + 1]! += 1;
    for (let i = 0; i < 2 ** chunkBits; i++) starts[i + 1]! += starts[i]!;
    const ends = starts.slice();
    const images = new Uint32Array(members.length);
    const halves = new Uint32Array(members.length);
    for (const image of members) {
      const to = ends[keyOf(image)]!++;
      images[to] = image;
      halves[to] = hashAt(image, chunk < 2 ? 1 : 0);
    }
    return { starts, ends, images, halves };
  });
}

function chunkOf(low: number, high: number, chunk: number): number {
  return ((chunk < 2 ? low : high) >>> (chunkBits * (chunk & 1))) & 0xffff;
}

/** How many bits are set. */
function ones(x: number): number {
  x -= (x >>> 1) & 0x55555555;
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
