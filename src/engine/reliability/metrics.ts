import type { CalibrationMetrics, ReliabilityBin } from "../../protocol/reliability.ts";
import { midRanks } from "../metrics/rank.ts";

const z95 = 1.959963984540054;

/** Wilson's 95 % interval of a share (Wilson 1927): holds also for few, and for all or none. */
export function wilson(right: number, n: number): [number, number] {
  if (n === 0) return [0, 1];
  const [share, z2] = [right / n, z95 ** 2];
  const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z95 / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  // None and all are the ends themselves, which rounding may miss.
  return [right === 0 ? 0 : Math.max(0, middle - half), right === n ? 1 : Math.min(1, middle + half)];
}

/** Area under the ROC curve of `score` as a test for `right`, ties counting half (Mann and Whitney 1947); null if all or none are. */
export function auroc(score: Float64Array, right: Uint8Array): number | null {
  const n = score.length;
  let positives = 0;
  for (const one of right) positives += one;
  if (positives === 0 || positives === n) return null;
  const ranks = midRanks(score);
  let sum = 0;
  for (let i = 0; i < n; i++) if (right[i]) sum += ranks[i]!;
  return (sum - (positives * (positives + 1)) / 2) / (positives * (n - positives));
}

/** Bins of equal width over [low, high], without the empty ones. */
export function reliabilityBins(
  claimed: Float64Array,
  right: Uint8Array,
  { low, high, count = 10 }: { low: number; high: number; count?: number },
): ReliabilityBin[] {
  const [n, sum, hits] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const width = (high - low) / count;
  for (let i = 0; i < claimed.length; i++) {
    const at = Math.min(count - 1, Math.max(0, Math.ceil((claimed[i]! - low) / width - 1e-9) - 1));
    n[at]!++;
    sum[at]! += claimed[i]!;
    hits[at]! += right[i]!;
  }
  return [...n.keys()]
    .filter((at) => n[at]! > 0)
    .map((at) => ({
      low: low + at * width,
      high: low + (at + 1) * width,
      n: n[at]!,
      claimed: sum[at]! / n[at]!,
      right: hits[at]! / n[at]!,
      ci95: wilson(hits[at]!, n[at]!),
    }));
}

/** Σ n_b/n · |claimed − right| (Guo et al. 2017, eq. 3). */
export function expectedCalibrationError(bins: readonly ReliabilityBin[]): number {
  const n = bins.reduce((sum, bin) => sum + bin.n, 0);
  return bins.reduce((sum, bin) => sum + (bin.n / n) * Math.abs(bin.claimed - bin.right), 0);
}

/** Cohen's kappa of a table of counts, row by row (Cohen 1960, and 1968 for quadratic weights); null where chance alone agrees. */
export function cohenKappa(
  table: readonly (readonly number[])[],
  weights: "none" | "quadratic" = "none",
): number | null {
  const k = table.length;
  const rows = table.map((row) => row.reduce((sum, one) => sum + one, 0));
  const columns = table.map((_, j) => table.reduce((sum, row) => sum + row[j]!, 0));
  const n = rows.reduce((sum, one) => sum + one, 0);
  if (n === 0) return null;
  let [observed, expected] = [0, 0];
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++) {
      const weight = weights === "quadratic" ? (i - j) ** 2 : Number(i !== j);
      observed += weight * table[i]![j]!;
      expected += (weight * rows[i]! * columns[j]!) / n;
    }
  return expected === 0 ? null : 1 - observed / expected;
}

const floor = 1e-15;

/** Preferences P(a better) and who is better: claims are those of the favoured one. Null without pairs. */
export function pairMetrics(p: Float64Array, aBetter: Uint8Array): CalibrationMetrics | null {
  const n = p.length;
  if (n === 0) return null;
  const claimed = p.map((one) => Math.max(one, 1 - one));
  const right = Uint8Array.from(p, (one, i) => Number(isRight(one, aBetter[i]!)));
  let [brier, nll] = [0, 0];
  for (let i = 0; i < n; i++) {
    const truth = aBetter[i] ? p[i]! : 1 - p[i]!;
    brier += (1 - truth) ** 2 / n;
    nll -= Math.log(Math.max(floor, truth)) / n;
  }
  return summarised(claimed, right, pairRange, { brier, nll });
}

export const pairRange = { low: 0.5, high: 1 };
export const pointRange = { low: 0, high: 1 };

function summarised(
  claimed: Float64Array,
  right: Uint8Array,
  range: typeof pairRange,
  losses: Pick<CalibrationMetrics, "brier" | "nll">,
): CalibrationMetrics {
  return {
    n: right.length,
    right: share(right),
    ece: expectedCalibrationError(reliabilityBins(claimed, right, range)),
    ...losses,
    auroc: auroc(claimed, right),
  };
}

/** A coin toss is not right. */
export function isRight(p: number, aBetter: number): boolean {
  return aBetter ? p > 0.5 : p < 0.5;
}

/** Probabilities of the five words, n × 5, and the true word's place, 0..4. Null without points. */
export function pointMetrics(p: Float64Array, word: Uint8Array): CalibrationMetrics | null {
  const n = word.length;
  if (n === 0) return null;
  const { claimed, right } = topWords(p, word);
  let [brier, nll] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < 5; k++) brier += (p[i * 5 + k]! - Number(word[i] === k)) ** 2 / n;
    nll -= Math.log(Math.max(floor, p[i * 5 + word[i]!]!)) / n;
  }
  return summarised(claimed, right, pointRange, { brier, nll });
}

/** The top word's probability, and whether it is the true one; of equal ones the better word counts. */
export function topWords(p: Float64Array, word: Uint8Array): { claimed: Float64Array; right: Uint8Array } {
  const n = word.length;
  const [claimed, right] = [new Float64Array(n), new Uint8Array(n)];
  for (let i = 0; i < n; i++) {
    let top = 0;
    for (let k = 1; k < 5; k++) if (p[i * 5 + k]! > p[i * 5 + top]!) top = k;
    claimed[i] = p[i * 5 + top]!;
    right[i] = Number(top === word[i]);
  }
  return { claimed, right };
}

function share(right: Uint8Array): number {
  let sum = 0;
  for (const one of right) sum += one;
  return sum / right.length;
}
