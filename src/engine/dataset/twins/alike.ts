import { lookSide as side } from "../../images/look.ts";
import type { Window } from "./signature.ts";

/** Steps in pixels of the look by which a window is fitted, and what must be reached by one for the finer ones to lead to a twin. */
const steps = [
  { step: 1, least: 0.72 },
  { step: 0.5, least: 0.78 },
  { step: 0.25, least: 0 },
];
const leastSide = 0.6 * side;
/** From less than this no fitting leads to a twin. */
const hopeless = 0.6;

/**
 * How alike one picture is to a part of another, both as looks: the correlation of their grey values, -1 to 1, in the window near
 * `window` where it is highest. Brightness and contrast do not count.
 */
export function alike(whole: Uint8Array, part: Uint8Array, window: Window): number {
  const target = standardised(part);
  if (!target) return 0;
  let at = { ...window };
  let best = correlation(whole, at, target);
  if (best < hopeless) return best;
  for (const { step, least } of steps) {
    for (let better = true; better; ) {
      better = false;
      for (const next of neighbours(at, step)) {
        const found = correlation(whole, next, target);
        if (found <= best + 1e-6) continue;
        [best, at, better] = [found, next, true];
      }
    }
    if (best < least) break;
  }
  return best;
}

function* neighbours({ x, y, width, height }: Window, step: number): Generator<Window> {
  const [right, bottom] = [x + width, y + height];
  for (const d of [-step, step])
    for (const [l, t, r, b] of [
      [x + d, y, right, bottom],
      [x, y + d, right, bottom],
      [x, y, right + d, bottom],
      [x, y, right, bottom + d],
      [x + d, y, right + d, bottom],
      [x, y + d, right, bottom + d],
    ] as const)
      if (l >= 0 && t >= 0 && r <= side && b <= side && r - l >= leastSide && b - t >= leastSide)
        yield { x: l, y: t, width: r - l, height: b - t };
}

/** Between which columns of a look a window's lie, and how near to the right one. */
const lefts = new Int32Array(side);
const shares = new Float64Array(side);

/**
 * Of the window of `whole`, drawn bilinearly to the size of a look, with values whose mean is 0 and whose squares sum to 1. It is worked
 * out many times for each pair that looks alike, so nothing is allocated.
 */
function correlation(whole: Uint8Array, { x, y, width, height }: Window, target: Float64Array): number {
  for (let i = 0; i < side; i++) {
    const column = placeOf(x, width, i);
    lefts[i] = Math.min(side - 2, Math.floor(column));
    shares[i] = column - lefts[i]!;
  }
  let [sum, squares, product, n] = [0, 0, 0, 0];
  for (let j = 0; j < side; j++) {
    const line = placeOf(y, height, j);
    const top = Math.min(side - 2, Math.floor(line));
    const down = line - top;
    for (let i = 0; i < side; i++) {
      const a = top * side + lefts[i]!;
      const right = shares[i]!;
      const upper = whole[a]! + (whole[a + 1]! - whole[a]!) * right;
      const lower = whole[a + side]! + (whole[a + side + 1]! - whole[a + side]!) * right;
      const value = upper + (lower - upper) * down;
      sum += value;
      squares += value * value;
      product += value * target[n++]!;
    }
  }
  const variance = squares - (sum * sum) / n;
  return variance > 1e-9 ? product / Math.sqrt(variance) : 0;
}

function placeOf(from: number, length: number, i: number): number {
  return Math.min(side - 1, Math.max(0, from + ((i + 0.5) * length) / side - 0.5));
}

function standardised(look: Uint8Array): Float64Array | undefined {
  let [sum, squares] = [0, 0];
  for (const value of look) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / look.length;
  const length = Math.sqrt(squares - sum * mean);
  if (!(length > 1e-6)) return undefined;
  const values = new Float64Array(look.length);
  for (let i = 0; i < values.length; i++) values[i] = (look[i]! - mean) / length;
  return values;
}
