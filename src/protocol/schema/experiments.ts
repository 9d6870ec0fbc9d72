import * as z from "zod";
import type { ExperimentResult } from "../experiments.ts";
import { count, fileName, runId, sentence, text, time } from "./common.ts";
import { metrics } from "./results.ts";

const measure = z.enum(["srcc", "plcc", "plccLogistic", "krcc", "rmse"]);
const stage = z.enum(["teacher", "distill", "calibrate"]);

const trial = z.looseObject({
  seed: z.int(),
  state: z.enum(["done", "failed", "missing"]),
  reason: z.union([sentence, text]).nullable(),
  run: runId.nullable(),
  evaluated: stage.nullable(),
  key: text.nullable(),
  ratings: count.nullable(),
  metrics: metrics.nullable(),
});

const mean = z.looseObject({ mean: z.number(), sd: z.number().nullable(), n: count }).nullable();

const quartiles = z.tuple([z.number(), z.number(), z.number()]).nullable();

const test = z.looseObject({
  difference: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  p: z.number(),
  pHolm: z.number(),
});

const arm = z.looseObject({
  name: text,
  settings: z.record(z.string(), text),
  stage,
  trials: z.array(trial),
  ratings: count.nullable(),
  fitsConfidence: z.boolean().optional(),
  quartiles: z
    .looseObject({
      srcc: quartiles,
      plcc: quartiles,
      plccLogistic: quartiles,
      krcc: quartiles,
      rmse: quartiles,
    })
    .optional(),
  means: z.looseObject({ srcc: mean, plcc: mean, plccLogistic: mean, krcc: mean, rmse: mean }),
  versus: z.looseObject({ baseline: text, tests: z.partialRecord(measure, test.nullable()) }).nullable(),
});

/** `result.json` of an experiment. */
export const experimentResult = z.looseObject({
  v: z.literal(1),
  name: text,
  file: fileName,
  base: fileName,
  key: text,
  updated: time,
  stage,
  seeds: z.array(z.int()).max(5000),
  resplit: z.boolean(),
  report: z.array(measure),
  summary: z.enum(["mean", "median"]).optional(),
  target: text.optional(),
  compare: text.nullable(),
  bootstrap: count,
  done: count,
  failed: count,
  total: count,
  arms: z.array(arm).max(5000),
  teachers: z.array(text).max(5000).optional(),
  paper: z
    .looseObject({
      dataset: text,
      rows: z.array(z.looseObject({ name: text, srcc: z.number(), plcc: z.number() })),
    })
    .nullable(),
}) satisfies z.ZodType<ExperimentResult>;
