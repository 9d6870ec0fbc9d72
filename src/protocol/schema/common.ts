import * as z from "zod";
import type { Text } from "../text.ts";

// The same as the patterns of src/engine/base/ids.ts, which checks where an id becomes a path.
export const runId = z.string().regex(/^r[1-9]\d{0,8}$/, "must be r and a number");
export const jobId = z.string().regex(/^[0-9a-z]{1,10}-[0-9a-z]{1,32}$/, "must be the id of a job");
export const key = z.string().regex(/^[0-9a-z]{1,64}$/, "must be up to 64 digits and small letters");
export const imageHash = z.string().regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits");

/** The name of a file beside the config, no path. */
export const fileName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => !/[/\\\0]/.test(name) && name !== "." && name !== "..", "must be the name of a file");

export const text = z.string().max(20_000);
/** A path, a name, a prompt: what may not be empty. Python refuses it too. */
export const filled = z.string().regex(/^[^\0]+$/, "must be a non-empty text");
export const time = z
  .string()
  .max(40)
  .refine((value) => !Number.isNaN(Date.parse(value)), "must be a time");
export const count = z.int().min(0);
export const seconds = z.number().min(0);
/** Correlations and the like: null where they are not defined. An older LEAF left some of them out. */
export const figure = z.number().nullable();
export const interval = z.tuple([z.number(), z.number()]);
/** Milliseconds since 1970. */
export const moment = z.number().min(0).max(8.64e15);
/** A process: 0 and less would name groups, and everybody. */
export const processId = z.int().min(1).max(0x7fffffff);

/** A sentence as data; parts of sentences are not nested deeper than this. */
function sentenceOf(depth: number): z.ZodType<Text> {
  const value = z.union([
    text,
    z.number(),
    z.strictObject({ count: z.number() }),
    ...(depth > 0 ? [sentenceOf(depth - 1)] : []),
  ]);
  return z.object({ template: text, values: z.array(value).max(50) });
}
export const sentence = sentenceOf(4);
