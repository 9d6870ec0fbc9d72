import * as z from "zod";
import { type Failure, failureCodes, type JobEvent, type JobRequest } from "../jobs.ts";
import { stageNames } from "../results.ts";
import { count, jobId, moment, sentence, text, time } from "./common.ts";
import { failureSummary } from "./failures.ts";
import { trainerMessage } from "./trainer.ts";

const stage = z.enum(stageNames);

export const failure = z.looseObject({
  code: z.enum(failureCodes),
  message: text,
  remedy: text.optional(),
  file: text.optional(),
  line: count.optional(),
  column: count.optional(),
  failures: failureSummary.optional(),
  words: z.object({ message: sentence, remedy: sentence.optional() }).optional().catch(undefined),
}) satisfies z.ZodType<Failure>;

/** `job.json`. Other keys stay. */
export const jobRequest = z.looseObject({
  v: z.literal(1),
  id: jobId,
  kind: z.enum(["run", "label", "distill", "calibrate", "evaluate", "env", "experiment"]),
  configFile: text,
  started: time,
  patienceMs: z.number().min(0).max(1e9),
  experiment: text.optional(),
  cluster: z.looseObject({ address: text.nullable(), workerGpus: z.number().min(0) }).optional(),
}) satisfies z.ZodType<JobRequest>;

export const attachment = z.looseObject({
  mode: z.enum(["attached", "released"]),
  at: moment,
  word: text.default(""),
});

const progress = z.looseObject({
  stage: z.enum(["index", "label", "distill", "calibrate", "evaluate", "score", "env"]),
  step: text,
  done: z.number(),
  total: z.number().optional(),
  unit: text,
  detail: z.union([sentence, text]).optional(),
});

/** A line of `events.jsonl`. */
export const jobEvent = z.discriminatedUnion("type", [
  z.looseObject({ at: moment, type: z.literal("progress"), progress }),
  z.looseObject({
    at: moment,
    type: z.literal("trainer"),
    stage: z.enum(["distill", "calibrate"]),
    message: trainerMessage,
  }),
  z.looseObject({
    at: moment,
    type: z.literal("warning"),
    message: text,
    words: sentence.optional().catch(undefined),
  }),
  z.looseObject({ at: moment, type: z.literal("stage"), stage, result: z.unknown() }),
  z.looseObject({
    at: moment,
    type: z.literal("end"),
    state: z.enum(["done", "failed", "cancelled"]),
    failure: failure.optional(),
    result: z.unknown().optional(),
  }),
]) as z.ZodType<JobEvent>;
