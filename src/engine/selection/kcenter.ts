import type { Candidates } from "./candidates.ts";

/**
 * Spread over the student's features: each choice is the image farthest from all chosen ones, the greedy 2-approximation of
 * k-center (Gonzalez 1985; Sener and Savarese 2018, "Active learning for convolutional neural networks: a core-set approach").
 * Euclidean distance of features scaled to variance 1; the first is the image closest to their mean. O(n · dim) a choice.
 */
export function* kcenter(candidates: Candidates): Generator<number> {
  const { hashes, already = [] } = candidates;
  const cover = coverage(candidates);
  const left = hashes.length - new Set(already).size;
  for (let i = 0; i < left; i++) {
    const next = i === 0 && already.length === 0 ? cover.central() : cover.farthest();
    cover.add(next);
    yield next;
  }
}

/** Distances to the nearest chosen image. */
export interface Coverage {
  /** Squared distance of each image to the nearest chosen one; −1 for chosen ones, Infinity while none is chosen. */
  distances: Float64Array;
  /** The image closest to the mean of all. */
  central(): number;
  farthest(): number;
  add(chosen: number): void;
}

export function coverage({ features, dim, hashes, already = [] }: Candidates): Coverage {
  const n = hashes.length;
  const scaled = standardised(features, n, dim);
  const distances = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const add = (chosen: number) => {
    const c = chosen * dim;
    for (let i = 0; i < n; i++) {
      if (distances[i]! < 0) continue;
      let sum = 0;
      for (let k = 0, at = i * dim; k < dim; k++, at++) {
        const difference = scaled[at]! - scaled[c + k]!;
        sum += difference * difference;
      }
      if (sum < distances[i]!) distances[i] = sum;
    }
    distances[chosen] = -1;
  };
  for (const chosen of already) add(chosen);
  return {
    distances,
    add,
    central() {
      // The mean of standardised features is 0.
      let [best, smallest] = [0, Number.POSITIVE_INFINITY];
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let at = i * dim; at < (i + 1) * dim; at++) sum += scaled[at]! * scaled[at]!;
        if (sum < smallest) [best, smallest] = [i, sum];
      }
      return best;
    },
    farthest() {
      let best = 0;
      for (let i = 1; i < n; i++) if (distances[i]! > distances[best]!) best = i;
      return best;
    },
  };
}

/** Each of the `dim` columns with mean 0 and variance 1; constant ones become 0. */
export function standardised(features: Float32Array, n: number, dim: number): Float32Array {
  const [mean, square] = [new Float64Array(dim), new Float64Array(dim)];
  for (let i = 0; i < n; i++) for (let k = 0; k < dim; k++) mean[k]! += features[i * dim + k]! / n;
  for (let i = 0; i < n; i++)
    for (let k = 0; k < dim; k++) square[k]! += (features[i * dim + k]! - mean[k]!) ** 2 / n;
  // Float32 rounding of a constant column is no variance.
  const scale = square.map((value, k) => (value > 1e-12 * (1 + mean[k]! ** 2) ? 1 / Math.sqrt(value) : 0));
  const scaled = new Float32Array(n * dim);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < dim; k++) scaled[i * dim + k] = (features[i * dim + k]! - mean[k]!) * scale[k]!;
  return scaled;
}
