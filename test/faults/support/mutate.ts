import { type Random, randomInt } from "../../../src/engine/base/random.ts";
import { pick } from "./trials.ts";

/** Numbers at which lengths and offsets break. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** The bytes with one to eight faults: bits turned, lengths set, pieces cut, doubled, moved, or overwritten. */
export function mutated(random: Random, bytes: Uint8Array): Buffer {
  let out: Buffer = Buffer.from(bytes);
  for (let fault = 1 + randomInt(random, 8); fault > 0 && out.length > 0; fault--) out = faulty(random, out);
  return out;
}

function faulty(random: Random, bytes: Buffer): Buffer {
  // Headers are where formats decide.
  const at = randomInt(random, random() < 0.5 ? Math.min(512, bytes.length) : bytes.length);
  const length = 1 + randomInt(random, Math.min(64, bytes.length - at));
  const piece = bytes.subarray(at, at + length);
  switch (randomInt(random, 7)) {
    case 0:
      bytes[at]! ^= 1 << randomInt(random, 8);
      return bytes;
    case 1:
      if (at + 4 <= bytes.length) {
        if (random() < 0.5) bytes.writeUInt32LE(pick(random, edges), at);
        else bytes.writeUInt32BE(pick(random, edges), at);
      }
      return bytes;
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
    case 5:
      bytes.fill(randomInt(random, 256), at, at + length);
      return bytes;
    default: {
      const to = randomInt(random, bytes.length);
      piece.copy(bytes, to);
      return bytes;
    }
  }
}

const shards = [
  "",
  "\0",
  "\r",
  "\n",
  "\r\n",
  '"',
  "'",
  "\t",
  ",",
  ";",
  ": ",
  "{",
  "}",
  "[",
  "]",
  "- ",
  "---\n",
  "&a ",
  "*a",
  "<<: ",
  "!!js/function ",
  "\u001b[2J",
  "\u202e",
  "\ufeff",
  "\ud800",
  "🙂",
  "NaN",
  "Infinity",
  "-0",
  "1e309",
  "9007199254740993",
  "../../..",
  "/dev/zero",
  "__proto__",
  "null",
  "true",
  "=cmd()",
  "{a,b}".repeat(6),
  "x".repeat(5000),
];

/** The text with one to six faults of the kinds that people and tools make, and some that only an attacker makes. */
export function mutatedText(random: Random, text: string): string {
  let out = text;
  for (let fault = 1 + randomInt(random, 6); fault > 0; fault--) {
    const at = randomInt(random, out.length + 1);
    const length = randomInt(random, 20);
    const lines = out.split("\n");
    switch (randomInt(random, 6)) {
      case 0:
        out = out.slice(0, at) + pick(random, shards) + out.slice(at);
        break;
      case 1:
        out = out.slice(0, at) + out.slice(at + length);
        break;
      case 2:
        out = out.slice(0, at) + pick(random, shards) + out.slice(at + length);
        break;
      case 3:
        out = out.slice(0, at) + out.slice(at, at + length).repeat(2) + out.slice(at + length);
        break;
      case 4:
        lines.splice(randomInt(random, lines.length), 0, pick(random, lines));
        out = lines.join("\n");
        break;
      default:
        lines.splice(randomInt(random, lines.length), 1);
        out = lines.join("\n");
    }
  }
  return out;
}

/** A JSON value with one to four places changed to another kind, another size, or gone. */
export function mutatedValue(random: Random, value: unknown): unknown {
  let out = structuredClone(value);
  for (let fault = 1 + randomInt(random, 4); fault > 0; fault--) out = changed(random, out);
  return out;
}

const oddValues: unknown[] = [
  null,
  true,
  0,
  -1,
  42,
  1e308,
  0.5,
  "",
  "x",
  "../../../etc",
  "\u001b]0;x\u0007",
  "a".repeat(3000),
  [],
  {},
  [null],
  { v: 2 },
  [[[[[]]]]],
];

function changed(random: Random, value: unknown): unknown {
  const keys = value !== null && typeof value === "object" ? Object.keys(value) : [];
  if (keys.length === 0 || random() < 0.15) return structuredClone(pick(random, oddValues));
  const holder = value as Record<string, unknown>;
  const key = pick(random, keys);
  if (random() < 0.2 && !Array.isArray(value)) delete holder[key];
  else holder[key] = changed(random, holder[key]);
  return value;
}
