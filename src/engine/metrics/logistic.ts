/** Parameters b1..b4 of the monotonic logistic that maps predictions to MOS. */
export type Logistic = [number, number, number, number];

/**
 * f(x) = (b1 − b2) / (1 + exp(−(x − b3)/|b4|)) + b2, the 4-parameter logistic of the IQA field
 * (VQEG FR-TV Phase I; Sheikh, Sabir, Bovik 2006).
 */
export function logistic([b1, b2, b3, b4]: Logistic, x: number): number {
  return (b1 - b2) / (1 + Math.exp(-(x - b3) / Math.abs(b4))) + b2;
}

/**
 * Least-squares fit by Levenberg–Marquardt with the analytic Jacobian, from the field's usual start and from flatter ones (an almost
 * linear relation has its optimum at a wide logistic). Null where nothing can be fitted: fewer than 5 items or constant x.
 */
export function fitLogistic(x: Float64Array, y: Float64Array): Logistic | null {
  const n = x.length;
  if (n < 5) return null;
  let [mean, low, high, lowX, highX] = [0, Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < n; i++) {
    mean += x[i]! / n;
    low = Math.min(low, y[i]!);
    high = Math.max(high, y[i]!);
    lowX = Math.min(lowX, x[i]!);
    highX = Math.max(highX, x[i]!);
  }
  let variance = 0;
  for (const value of x) variance += (value - mean) ** 2 / n;
  const sd = Math.sqrt(variance);
  if (!(sd > Math.abs(mean) * 1e-13) || high === low) return null;
  let best: { b: Logistic; error: number } | undefined;
  for (const width of [0.25, 0.5, 1, 4]) {
    for (const rising of [true, false]) {
      const start: Logistic = rising ? [high, low, mean, sd * width] : [low, high, mean, sd * width];
      const found = descend(start, x, y);
      if (!best || found.error < best.error) best = found;
    }
  }
  return best!.b;
}

const maxSteps = 500;

function descend(start: Logistic, x: Float64Array, y: Float64Array): { b: Logistic; error: number } {
  let b = start;
  let error = squaredError(b, x, y);
  let damping = 1e-3;
  let calm = 0;
  for (let step = 0; step < maxSteps && calm < 3 && damping < 1e12; step++) {
    const { jtj, jtr } = normalEquations(b, x, y);
    const damped = jtj.map((row, i) =>
      row.map((value, j) => (i === j ? value * (1 + damping) + 1e-300 : value)),
    );
    const delta = solve(damped, jtr);
    const next = b.map((value, i) => value + (delta?.[i] ?? Number.NaN)) as Logistic;
    const nextError = next[3] === 0 ? Number.NaN : squaredError(next, x, y);
    if (nextError <= error) {
      calm = error - nextError <= 1e-14 * error ? calm + 1 : 0;
      b = next;
      error = nextError;
      damping = Math.max(damping / 5, 1e-15);
    } else damping *= 4;
  }
  return { b, error };
}

function squaredError(b: Logistic, x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (y[i]! - logistic(b, x[i]!)) ** 2;
  return sum;
}

function normalEquations(b: Logistic, x: Float64Array, y: Float64Array): { jtj: number[][]; jtr: number[] } {
  const [b1, b2, b3, b4] = b;
  const width = Math.abs(b4);
  const jtj = [0, 1, 2, 3].map(() => [0, 0, 0, 0]);
  const jtr = [0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const z = (x[i]! - b3) / width;
    const s = 1 / (1 + Math.exp(-z));
    const slope = (b1 - b2) * s * (1 - s);
    const row = [s, 1 - s, -slope / width, (-slope * z * Math.sign(b4)) / width];
    const residual = y[i]! - ((b1 - b2) * s + b2);
    for (let p = 0; p < 4; p++) {
      jtr[p]! += row[p]! * residual;
      for (let q = 0; q < 4; q++) jtj[p]![q]! += row[p]! * row[q]!;
    }
  }
  return { jtj, jtr };
}

/** Gaussian elimination with partial pivoting; null for a singular matrix. */
function solve(matrix: number[][], right: number[]): number[] | null {
  const n = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++)
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const head = rows[column]![column]!;
    if (head === 0 || !Number.isFinite(head)) return null;
    for (let row = column + 1; row < n; row++) {
      const factor = rows[row]![column]! / head;
      for (let k = column; k <= n; k++) rows[row]![k]! -= factor * rows[column]![k]!;
    }
  }
  const solution = new Array<number>(n).fill(0);
  for (let row = n - 1; row >= 0; row--) {
    let value = rows[row]![n]!;
    for (let k = row + 1; k < n; k++) value -= rows[row]![k]! * solution[k]!;
    solution[row] = value / rows[row]![row]!;
  }
  return solution;
}
