import { createHash } from "node:crypto";

/** A seeded source of numbers in [0, 1), 32 bits each. */
export type Random = () => number;

/**
 * Generator sfc32 (Doty-Humphrey, PractRand) seeded by the SHA-256 of all parts: other parts give an unrelated stream, and
 * the stream is the same on every machine.
 */
export function seededRandom(...parts: (string | number)[]): Random {
  const digest = createHash("sha256").update(parts.join("\0")).digest();
  // Typed, so that the words stay unboxed between calls.
  const state = Int32Array.from([0, 4, 8, 12], (at) => digest.readInt32LE(at));
  return () => {
    const [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!];
    const t = (a + b + d) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + t;
    state[3] = d + 1;
    return (t >>> 0) / 2 ** 32;
  };
}

/** Uniform on 0 … n-1, n at most 2³²; the bias is under n / 2³². */
export function randomInt(random: Random, n: number): number {
  return Math.floor(random() * n);
}

/** 64 well-mixed bits of a text, as two unsigned 32-bit words (cyrb53 by bryc, both halves kept whole). Not for secrets. */
export function hashWords(text: string, seed = 0): [number, number] {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  const high = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  const low = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return [high >>> 0, low >>> 0];
}

/** Mixes two words into one whose bits all depend on both (MurmurHash3's finaliser, twice). */
export function mixWords(a: number, b: number): number {
  return finalise(finalise(a) ^ b) >>> 0;
}

function finalise(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
