import type { Measured, Spread } from "./measure.ts";

export interface Result extends Measured {
  name: string;
  peerName: string;
  aim: number;
}

/** The table of docs/performance.md, as Markdown. */
export function tableOf(results: readonly Result[]): string {
  const rows = results.map((one) => [
    one.name,
    seconds(one.before),
    seconds(one.ours),
    one.peer ? `${seconds(one.peer)}, ${one.peerName}` : "",
    times(one.ratio),
    one.peer ? `${one.aim}×` : "",
    one.reached ? times(one.reached) : "",
  ]);
  const head = ["work", "before", "now", "peer", "peer / now", "aim", "floor / now"];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function seconds(spread: Spread | undefined): string {
  return spread ? `${short(spread.median)} s` : "";
}

function times(spread: Spread | undefined): string {
  return spread ? `${short(spread.median)}× [${short(spread.min)}, ${short(spread.max)}]` : "";
}

/** Three significant digits at most. */
function short(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value
    .toFixed(Math.min(3, digits))
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
}
