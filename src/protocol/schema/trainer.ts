import { z } from "zod";
import type { TrainerMessage } from "../trainer.ts";
import { count, seconds, text } from "./common.ts";
import { agreement } from "./results.ts";

const v = z.literal(1);

export const trainerMetrics = z.looseObject({
  v,
  type: z.literal("metrics"),
  epoch: count,
  step: count,
  loss: z.number(),
  parts: z.record(z.string().max(80), z.number()).default({}),
  lr: z.number().default(0),
  val: agreement.nullable().default(null),
  imagesPerS: z.number().default(0),
});

/** A line that Python wrote. What does not fit is no message: it goes to the log, like all that libraries print. */
export const trainerMessage = z.discriminatedUnion("type", [
  z.looseObject({
    v,
    type: z.literal("hello"),
    python: text,
    torch: text,
    device: text,
    deviceName: text,
    worldSize: count,
    amp: z.enum(["bf16", "off"]),
  }),
  z.looseObject({
    v,
    type: z.literal("progress"),
    phase: z.enum(["load", "train", "validate", "export"]),
    epoch: count,
    epochs: count,
    step: count,
    steps: count,
    imagesPerS: z.number(),
  }),
  trainerMetrics,
  z.looseObject({ v, type: z.literal("checkpoint"), epoch: count, path: text }),
  z.looseObject({
    v,
    type: z.literal("done"),
    epochs: count,
    bestEpoch: count,
    durationS: seconds,
    onnx: text,
    exportMaxDifference: z.number(),
    val: agreement.nullable(),
    parameters: count,
    domain: z
      .looseObject({
        threshold: z.number(),
        quantile: z.number(),
        fitted: count,
        heldOut: count,
        shrinkage: z.number(),
      })
      .nullable(),
  }),
  z.looseObject({
    v,
    type: z.literal("error"),
    code: z.enum(["nan", "oom", "input", "environment", "failed"]),
    message: text,
    remedy: text.nullable(),
  }),
]) satisfies z.ZodType<TrainerMessage>;
