import { setImmediate } from "node:timers/promises";
import { throwIfCancelled } from "../../base/errors.ts";
import { windows, words } from "./signature.ts";

/** Images by their signatures: `windows.length * words` numbers each. */
export interface Signatures {
  count: number;
  values: Uint32Array;
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
const perPause = 20_000;

/**
 * Pairs of pictures where the hash of one is near a window's hash of the other, without a comparison of all: a multi-index over the
 * four 16-bit parts of the hashes (Norouzi, Punjani and Fleet, 2012), each looked up with one bit changed. So all are found that differ
 * by 7 bits at most, and many up to 10. Nothing is drawn at random, so the
 * same images give the same pairs; only of a picture with more than 64 near ones it depends on which came first. Only pairs with
 * a fresh one.
 */
export async function candidates(
  { count, values }: Signatures,
  isFresh: Uint8Array,
  signal?: AbortSignal,
): Promise<Candidate[]> {
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  const fresh = all.filter((i) => isFresh[i]);
  const found = new Map<number, Candidate & { bits: number }>();
  const each = new Uint8Array(count);
  await join(fresh, all);
  if (fresh.length < count)
    await join(
      all.filter((i) => !isFresh[i]),
      fresh,
    );
  return [...found.values()];

  async function join(parts: Uint32Array, wholes: Uint32Array): Promise<void> {
    const entries = wholes.length * windows.length;
    const at = (entry: number) =>
      (wholes[Math.floor(entry / windows.length)]! * windows.length + (entry % windows.length)) * words;
    for (let chunk = 0; chunk < 4; chunk++) {
      const chunkOf = (place: number) => (values[place + (chunk >> 1)]! >>> (16 * (chunk & 1))) & 0xffff;
      const starts = new Uint32Array(65_537);
      for (let entry = 0; entry < entries; entry++) starts[chunkOf(at(entry)) + 1]! += 1;
      for (let i = 0; i < 65_536; i++) starts[i + 1]! += starts[i]!;
      const order = new Uint32Array(entries);
      const next = starts.slice();
      for (let entry = 0; entry < entries; entry++) order[next[chunkOf(at(entry))]!++] = entry;
      for (const [i, part] of parts.entries()) {
        if (i % perPause === 0) {
          throwIfCancelled(signal);
          await setImmediate();
        }
        const own = part * windows.length * words;
        const key = chunkOf(own);
        for (let bit = -1; bit < 16; bit++) {
          const bucket = bit < 0 ? key : key ^ (1 << bit);
          for (let n = starts[bucket]!; n < starts[bucket + 1]!; n++) {
            const entry = order[n]!;
            const place = at(entry);
            const bits = ones(values[own]! ^ values[place]!) + ones(values[own + 1]! ^ values[place + 1]!);
            if (bits <= mostBits)
              add(part, wholes[Math.floor(entry / windows.length)]!, entry % windows.length, bits);
          }
        }
      }
    }
  }

  function add(part: number, whole: number, window: number, bits: number): void {
    if (part === whole) return;
    const key = part * count + whole;
    const before = found.get(key);
    if (!before) {
      if (each[part]! >= mostEach) return;
      each[part]! += 1;
    } else if (before.bits <= bits) return;
    found.set(key, { whole, part, window, bits });
  }
}

/** How many bits are set. */
function ones(x: number): number {
  x -= (x >>> 1) & 0x55555555;
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
