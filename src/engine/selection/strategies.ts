import { setImmediate } from "node:timers/promises";
import { throwIfCancelled } from "../base/errors.ts";
import type { Config } from "../config/config.ts";
import type { Candidates, Strategy } from "./candidates.ts";
import { combined } from "./combined.ts";
import { kcenter } from "./kcenter.ts";
import { quantile } from "./quantile.ts";
import { random } from "./random.ts";
import { uncertainty } from "./uncertainty.ts";

export type SelectionName = Config["calibrate"]["selection"];

export const strategies: Record<SelectionName, Strategy> = {
  random,
  quantile,
  kcenter,
  uncertainty,
  combined,
};

/** The first `count` positions of a strategy; the event loop runs in between. */
export async function takeChoices(
  name: SelectionName,
  candidates: Candidates,
  count: number,
  signal?: AbortSignal,
): Promise<number[]> {
  const chosen: number[] = [];
  if (count <= 0) return chosen;
  for (const i of strategies[name](candidates)) {
    chosen.push(i);
    if (chosen.length >= count) break;
    if (chosen.length % 8 === 0) await setImmediate();
    throwIfCancelled(signal);
  }
  return chosen;
}
