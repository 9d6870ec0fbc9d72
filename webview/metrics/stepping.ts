import type { Point } from "./scatter.ts";

/** The point that a key leads to: ← → by score, ↑ ↓ by MOS, Home and End to the ends. undefined for other keys. */
export function stepTo(points: readonly Point[], current: number, key: string): number | undefined {
  const by = key === "ArrowUp" || key === "ArrowDown" ? "mos" : "score";
  const order = points.map((_, index) => index).sort((a, b) => points[a]![by] - points[b]![by]);
  const at = order.indexOf(current);
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return order[at < 0 ? 0 : Math.min(at + 1, order.length - 1)];
    case "ArrowLeft":
    case "ArrowDown":
      return order[at < 0 ? order.length - 1 : Math.max(at - 1, 0)];
    case "Home":
      return order[0];
    case "End":
      return order.at(-1);
    default:
      return undefined;
  }
}
