/**
 * P-values corrected for several tests by Holm's step-down method (1979), which controls the family-wise error under any
 * dependence; in the order given. A test that gave none (null) is not one of the family.
 */
export function holm(ps: readonly (number | null)[]): (number | null)[] {
  const order = ps.flatMap((p, i) => (p === null ? [] : [{ p, i }])).sort((a, b) => a.p - b.p);
  const corrected: (number | null)[] = ps.map(() => null);
  let least = 0;
  for (const [rank, { p, i }] of order.entries()) {
    least = Math.max(least, Math.min(1, p * (order.length - rank)));
    corrected[i] = least;
  }
  return corrected;
}
