import type { MinConfidence } from "../../protocol/reliability.ts";
import { wilson } from "./metrics.ts";

const leastInBin = 30;
const mostBins = 10;

/**
 * The smallest confidence whose pairs are right significantly more often than not. Pairs are sorted by confidence and cut into
 * at most 10 bins of equal count, of at least 30; the answer is the lower end of the first bin whose 95 % interval (Wilson) of the
 * share that is right lies above one half. 0 where that is the first bin: then no pair needs to be discarded.
 */
export function chooseMinConfidence(confidence: Float64Array, right: Uint8Array): MinConfidence {
  const n = confidence.length;
  const bins = Math.min(mostBins, Math.floor(n / leastInBin));
  if (bins === 0)
    return {
      value: null,
      n,
      why: `${n} pairs of calibration images have a truth; at least ${leastInBin} are needed`,
    };
  const order = Uint32Array.from(confidence.keys()).sort((i, j) => confidence[i]! - confidence[j]!);
  for (let bin = 0; bin < bins; bin++) {
    const [from, to] = [Math.round((bin * n) / bins), Math.round(((bin + 1) * n) / bins)];
    let hits = 0;
    for (let at = from; at < to; at++) hits += right[order[at]!]!;
    if (wilson(hits, to - from)[0] <= 0.5) continue;
    // Rounded down, so that the bin's own pairs are kept.
    return { value: bin === 0 ? 0 : Math.floor(confidence[order[from]!]! * 1000) / 1000, n };
  }
  return { value: null, n, why: "at no confidence are the pairs right significantly more often than not" };
}
