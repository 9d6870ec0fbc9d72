import * as z from "zod";
import type { FailureSummary, ItemFailure } from "../failures.ts";
import { count, text } from "./common.ts";

/** A line of a list of failures. */
export const itemFailure = z.looseObject({
  kind: z.enum(["index", "row", "point", "pair", "reason", "decode", "score"]),
  file: text,
  other: text.optional(),
  line: count.optional(),
  reason: text,
}) satisfies z.ZodType<ItemFailure>;

export const failureSummary = z.looseObject({
  total: count,
  first: z.array(itemFailure),
  reasons: z.array(z.looseObject({ reason: text, count })),
  file: text.nullable(),
}) satisfies z.ZodType<FailureSummary>;
