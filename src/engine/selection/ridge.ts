/** A symmetric positive definite matrix A (n × n, row by row) in place as its lower Cholesky factor L, A = L Lᵀ. */
export function cholesky(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      if (i === j) {
        if (!(sum > 0)) throw new RangeError("The matrix is not positive definite.");
        a[i * n + i] = Math.sqrt(sum);
      } else a[i * n + j] = sum / a[j * n + j]!;
    }
}

/** Solves L Lᵀ x = b; `b` becomes x. */
export function solveCholesky(l: Float64Array, n: number, b: Float64Array): Float64Array {
  for (let i = 0; i < n; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= l[i * n + k]! * b[k]!;
    b[i] = sum / l[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let k = i + 1; k < n; k++) sum -= l[k * n + i]! * b[k]!;
    b[i] = sum / l[i * n + i]!;
  }
  return b;
}

/** Inner products of all rows of x (n × dim). */
export function gram(x: Float32Array | Float64Array, n: number, dim: number): Float64Array {
  const products = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0, [p, q] = [i * dim, j * dim]; k < dim; k++, p++, q++) sum += x[p]! * x[q]!;
      products[i * n + j] = sum;
      products[j * n + i] = sum;
    }
  return products;
}

/**
 * Ridge regression in its dual form (Saunders et al. 1998): fits y − mean(y) on the rows `train` of a kernel with penalty
 * λ‖w‖², and predicts the rows `test`. The kernel is of centred inputs; the intercept is the mean of y.
 */
export function ridgePredict(
  kernel: Float64Array,
  n: number,
  y: Float64Array,
  { train, test, lambda }: { train: Uint32Array; test: Uint32Array; lambda: number },
): Float64Array {
  const m = train.length;
  let mean = 0;
  for (const i of train) mean += y[i]! / m;
  const a = new Float64Array(m * m);
  for (let p = 0; p < m; p++) {
    for (let q = 0; q <= p; q++) a[p * m + q] = kernel[train[p]! * n + train[q]!]!;
    a[p * m + p]! += lambda;
  }
  cholesky(a, m);
  const dual = solveCholesky(
    a,
    m,
    Float64Array.from(train, (i) => y[i]! - mean),
  );
  return Float64Array.from(test, (t) => {
    let sum = mean;
    for (let p = 0; p < m; p++) sum += dual[p]! * kernel[t * n + train[p]!]!;
    return sum;
  });
}
