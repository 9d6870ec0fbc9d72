/** A small seeded generator: the same model in every test run. */
export function seeded(seed: number) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform()),
    below: (count: number) => Math.floor(uniform() * count),
  };
}

export const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
export const round = (value: number, decimals = 3) => Number(value.toFixed(decimals));
