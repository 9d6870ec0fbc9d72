import { lookSide as side } from "../../images/look.ts";
import type { Window } from "./signature.ts";

/** Steps in pixels of the look by which a window is fitted. */
const steps = [1, 0.5, 0.25];
const least = 0.6 * side;
/** From less than this no fitting leads to a twin. */
const hopeless = 0.6;

/**
 * How alike one picture is to a part of another, both as looks: the correlation of their grey values, -1 to 1, in the window near
 * `window` where it is highest. Brightness and contrast do not count.
 */
export function alike(whole: Uint8Array, part: Uint8Array, window: Window): number {
  const target = standardised(Float64Array.from(part));
  if (!target) return 0;
  const values = new Float64Array(side * side);
  let at = { ...window };
  let best = correlation(whole, at, target, values);
  if (best < hopeless) return best;
  for (const step of steps)
    for (let better = true; better; ) {
      better = false;
      for (const next of neighbours(at, step)) {
        const found = correlation(whole, next, target, values);
        if (found <= best + 1e-6) continue;
        [best, at, better] = [found, next, true];
      }
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
      if (l >= 0 && t >= 0 && r <= side && b <= side && r - l >= least && b - t >= least)
        yield { x: l, y: t, width: r - l, height: b - t };
}

/** Of the window of `whole`, drawn to the size of a look, with values whose mean is 0 and whose squares sum to 1. */
function correlation(whole: Uint8Array, window: Window, target: Float64Array, values: Float64Array): number {
  sample(whole, window, values);
  let [sum, squares, product] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    sum += value;
    squares += value * value;
    product += value * target[i]!;
  }
  const variance = squares - (sum * sum) / values.length;
  return variance > 1e-9 ? product / Math.sqrt(variance) : 0;
}

/** Bilinear. */
function sample(look: Uint8Array, { x, y, width, height }: Window, out: Float64Array): void {
  const at = (from: number, length: number, i: number) =>
    Math.min(side - 1, Math.max(0, from + ((i + 0.5) * length) / side - 0.5));
  const columns = Array.from({ length: side }, (_, i) => at(x, width, i));
  for (let j = 0; j < side; j++) {
    const line = at(y, height, j);
    const top = Math.min(side - 2, Math.floor(line));
    const down = line - top;
    for (let i = 0; i < side; i++) {
      const column = columns[i]!;
      const left = Math.min(side - 2, Math.floor(column));
      const right = column - left;
      const a = top * side + left;
      const upper = look[a]! * (1 - right) + look[a + 1]! * right;
      const lower = look[a + side]! * (1 - right) + look[a + side + 1]! * right;
      out[j * side + i] = upper * (1 - down) + lower * down;
    }
  }
}

function standardised(values: Float64Array): Float64Array | undefined {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const length = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return length > 1e-6 ? values.map((value) => (value - mean) / length) : undefined;
}
