import { z } from "zod";
import type { StudentCard } from "../student.ts";
import { count, text } from "./common.ts";
import { domainFacts } from "./trainer.ts";

/** Larger inputs are no network's: a view takes 3 bytes a pixel, and much more inside the network. */
const side = z.int().min(1).max(4096);

/** `student.json`. Students of LEAF 0.1.0 have neither `outputs` nor `domain`. */
export const studentCard = z.looseObject({
  v: z.literal(1),
  stage: z.enum(["distill", "calibrate"]),
  model: text,
  input: z.looseObject({
    resize: side.nullable(),
    crop: side,
    views: z.union([z.literal(1), z.literal(5)]),
  }),
  mosScale: z
    .looseObject({
      range: z
        .tuple([z.number(), z.number()])
        .refine(([low, high]) => high > low && high - low <= 1e9, "must be [lowest, highest]"),
      lowerIsBetter: z.boolean(),
    })
    .nullable(),
  parameters: count,
  exportMaxDifference: z.number(),
  outputs: z.array(z.enum(["features", "map", "distance"])).optional(),
  domain: domainFacts.loose().nullish(),
  provenance: z.looseObject({
    leaf: text,
    created: text,
    stageKey: text,
    teacher: text.nullable(),
    images: count,
    torch: text,
    device: text,
  }),
}) satisfies z.ZodType<StudentCard>;
