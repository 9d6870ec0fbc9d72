import * as z from "zod";
import type { StudentCard } from "../student.ts";
import { count, filled, text } from "./common.ts";
import { headFacts } from "./head.ts";
import { domainFacts, level, levels, scoredViews, targetName } from "./trainer.ts";

/** Larger inputs are no network's: a view takes 3 bytes a pixel, and much more inside the network. */
const side = z.int().min(1).max(4096);

const mosScale = z.looseObject({
  range: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => high > low && high - low <= 1e9, "must be [lowest, highest]"),
  lowerIsBetter: z.boolean(),
});

/** `student.json`. Students of LEAF 0.1.0 have neither `outputs` nor `domain`; `levels` came later still. */
export const studentCard = z.looseObject({
  v: z.literal(1),
  stage: z.enum(["distill", "calibrate"]),
  model: text,
  input: z.looseObject({
    resize: side.nullable(),
    crop: side,
    views: scoredViews,
    decode: z.literal("scaled").optional(),
  }),
  mosScale: mosScale.nullable(),
  parameters: count,
  exportMaxDifference: z.number(),
  outputs: z.array(z.enum(["features", "map", "distance", "levels", "sd"])).optional(),
  domain: domainFacts.loose().nullish(),
  levels: levels
    .extend({ parts: z.array(level.loose()).min(1).max(64) })
    .loose()
    .refine(
      ({ dim, parts }) => parts.every((one) => Math.max(one.mean, one.sd ?? 0) + one.channels <= dim),
      "`parts` must lie within `dim`",
    )
    .nullish(),
  targets: z
    .array(
      z.looseObject({
        name: targetName,
        score: filled,
        sd: filled.nullable(),
        mosScale,
        head: headFacts.loose().nullish(),
      }),
    )
    .min(2)
    .max(16)
    .optional(),
  head: headFacts.loose().nullish(),
  int8: z
    .looseObject({
      srcc: z.number().min(-1).max(1),
      largest: z.number().min(0),
      images: count,
      calibratedOn: count,
    })
    .nullish(),
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
