import * as z from "zod";
import { marked } from "../../words/text.ts";

export const evaluatedStages = ["teacher", "distill", "calibrate"] as const;
export type EvaluatedStage = (typeof evaluatedStages)[number];

const stageSchema = z.enum(evaluatedStages);

const armSchema = z.looseObject({
  stage: stageSchema
    .optional()
    .meta({ description: "Another `stage` for this arm alone; all other keys are those of leaf.yaml." }),
});

export const reportedMetrics = ["srcc", "plcc", "plccLogistic", "krcc", "rmse"] as const;

const unique = <T>(values: T[]) => new Set(values).size === values.length;

/** `*.experiment.yaml`: the single source of its validation, types, editor help and reference. */
export const experimentSchema = z.strictObject({
  base: z
    .string()
    .min(1)
    .default("leaf.yaml")
    .meta({ description: "The config that all arms start from, beside this file." }),
  arms: z.record(z.string().trim().min(1).max(80), armSchema.nullable()).optional().meta({
    description:
      "Named arms. Each is the base config with other values, written as dotted keys or nested. A section with another `kind` replaces the whole section.",
  }),
  matrix: z
    .record(z.string().min(1), z.array(z.unknown()).min(1).max(100))
    .optional()
    .meta({ description: "Keys of leaf.yaml and their values; every combination is tried, in every arm." }),
  seeds: z
    .array(z.int().min(0))
    .min(1)
    .max(100)
    .refine(unique, marked("the seeds must differ"))
    .default([0])
    .meta({ description: "Each is `distill.seed` and `calibrate.seed` (so also which MOS are used)." }),
  resplit: z
    .boolean()
    .default(false)
    .meta({ description: "Each seed is also `split.seed`, so that each has other test images." }),
  stage: stageSchema.default("calibrate").meta({
    description:
      "Who is evaluated: the calibrated student, the distilled one, or the teacher. With `calibrate.ratio: 0` the distilled one.",
  }),
  report: z
    .array(z.enum(reportedMetrics))
    .min(1)
    .refine(unique, marked("a measure is named twice"))
    .default(["srcc", "plcc"])
    .meta({ description: "Measures of the table; the first one's difference to the baseline is shown." }),
  summary: z.enum(["mean", "median"]).optional().meta({
    default: "mean",
    description:
      "How the seeds are summed up: mean ± standard deviation, or median [quartiles], as the field reports random splits.",
  }),
  target: z.string().min(1).optional().meta({
    description: "The target of `mos.score` that the figures are of. By default the main one.",
  }),
  compare: z.string().min(1).optional().meta({
    description: "Baseline of the significance tests: an arm, or a row of the table such as `ratio 0.1`.",
  }),
  bootstrap: z
    .int()
    .min(100)
    .max(100_000)
    .default(2000)
    .meta({ description: "Resamples of the paired tests." }),
});

export type Experiment = z.output<typeof experimentSchema>;

/** JSON Schema of an experiment file (what a user may write), without what leaf.yaml's own says of overrides. */
export function experimentJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(experimentSchema, { io: "input" }) as Record<string, unknown>;
}
