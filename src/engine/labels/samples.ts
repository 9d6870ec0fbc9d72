import * as z from "zod";
import { parseAs } from "../base/json.ts";
import type { Row } from "./session.ts";

const count = z.int().min(0);
/** Of a point: how often each word came among `n` answers. */
export const pointSamples = z.strictObject({ n: count, counts: z.array(count).length(5) });
const letters = z.strictObject({ n: count, counts: z.array(count).min(2).max(3) });
/** Of a pair: the same of the letters, and the tie, asked as (a, b) and as (b, a). */
export const pairSamples = z.strictObject({ ab: letters, ba: letters.nullable() });
export type PairSamples = z.output<typeof pairSamples>;

/** As the column `samples` has it: JSON, null where probabilities were read and not estimated. */
export function samplesText({ samples }: { samples?: unknown }): string | null {
  return samples === undefined ? null : JSON.stringify(samples);
}

/** What a row has of it; nothing where that is not what it should be. */
export function samplesIn<T>(row: Row, schema: z.ZodType<T>): { samples?: T } {
  if (typeof row.samples !== "string") return {};
  const read = parseAs(row.samples, schema);
  return read.ok ? { samples: read.value } : {};
}
