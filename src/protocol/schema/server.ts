import * as z from "zod";
import type { ServerMethod } from "../server.ts";
import { count, imageHash, text } from "./common.ts";
import { targetName } from "./trainer.ts";

// What the panel asks comes from a webview, so requests are input like any other. Keys that are not named stay as they are.

const uri = z
  .string()
  .max(20_000)
  .refine((value) => URL.canParse(value), "must be a URI");
const config = uri;
/** Whether there is such a run is told by name where it is looked for. */
const run = text;
const force = z.boolean().optional();
const span = z.tuple([z.number(), z.number()]);
const page = { descending: z.boolean(), offset: count, limit: z.int().min(0).max(10_000) };
const job = z.enum(["run", "label", "distill", "calibrate", "evaluate", "env", "experiment"]);
const target = {
  config: uri.optional(),
  experiment: uri.optional(),
  work: z.enum([...job.options, "dryRun", "probe"]).optional(),
};

const sitting = { rater: z.string().max(200).optional(), repeatEvery: count.optional() };

const imageQuery = z.looseObject({
  ...page,
  sort: z.enum(["path", "score", "mos", "teacher", "disagreement", "modified", "similar"]),
  target: targetName.optional(),
  text: text.optional(),
  score: span.optional(),
  mos: z.enum(["rated", "unrated"]).optional(),
  split: z.enum(["train", "val", "test"]).optional(),
  far: z.literal(true).optional(),
  around: imageHash.optional(),
});

const pairQuery = z.looseObject({
  ...page,
  show: z.enum(["all", "kept", "discarded", "disagreement", "human"]),
  confidence: span.optional(),
  image: imageHash.optional(),
  sort: z.enum(["confidence", "bias", "disagreement", "sampled"]),
});

const of = <T extends z.ZodRawShape>(shape: T) => z.looseObject(shape);

/** The parameters of each request of `ServerRequests`. */
export const requestParams = {
  "leaf/projects": of({}),
  "leaf/newConfig": of({ folder: uri }),
  "leaf/newDemo": of({ folder: uri }),
  "leaf/start": of({ config, kind: job, onCluster: z.boolean().optional() }),
  "leaf/consent": of(target),
  "leaf/approve": of({
    ...target,
    digests: z.array(text).max(1000),
    decision: z.enum(["allow", "managed"]),
  }),
  "leaf/startExperiment": of({ experiment: uri }),
  "leaf/experiments": of({ config }),
  "leaf/experiment": of({ experiment: uri }),
  "leaf/experimentText": of({ experiment: uri, format: z.enum(["markdown", "latex", "csv"]) }),
  "leaf/experimentPresets": of({}),
  "leaf/newExperiment": of({ config, preset: text }),
  "leaf/stop": of({ config }),
  "leaf/jobEvents": of({ config }),
  "leaf/dryRun": of({ config, images: z.int().min(1).max(1000), member: z.int().min(1).optional() }),
  "leaf/runs": of({ config, experiments: z.boolean().optional() }),
  "leaf/pinRun": of({ config, run, pinned: z.boolean() }),
  "leaf/runFolder": of({ config, run }),
  "leaf/runConfig": of({ config, run }),
  "leaf/curves": of({ config, run }),
  "leaf/reliability": of({ config, by: text.optional() }),
  "leaf/evaluation": of({ config, run: run.optional(), target: targetName.optional() }),
  "leaf/images": of({ config, query: imageQuery }),
  "leaf/bands": of({ config }),
  "leaf/pairs": of({ config, query: pairQuery }),
  "leaf/overrulePair": of({ config, a: imageHash, b: imageHash, p: z.number().min(0).max(1).nullable() }),
  "leaf/thumbnails": of({ config, hashes: z.array(imageHash).max(10_000), size: z.enum(["small", "full"]) }),
  "leaf/heatMap": of({ uri }),
  "leaf/image": of({ uri, rescore: z.boolean().optional() }),
  "leaf/scores": of({ uris: z.array(uri) }),
  "leaf/score": of({ uris: z.array(uri), workDoneToken: z.union([z.string(), z.number()]).optional() }),
  "leaf/pathsInText": of({ document: text, lines: z.array(of({ line: count, text: z.string() })) }),
  "leaf/imageHover": of({ document: text, text: z.string(), character: count }),
  "leaf/ratingQueue": of({ config, count: z.number(), ...sitting }),
  "leaf/rate": of({
    config,
    hash: imageHash,
    rating: z.number().nullable(),
    repeat: z.boolean().optional(),
    ...sitting,
  }),
  "leaf/ratingCurve": of({ config, next: count }),
  "leaf/ratingRefit": of({ config }),
  "leaf/exclude": of({ config, paths: z.array(text) }),
  "leaf/export": of({ config, what: z.enum(["labels", "scores", "student"]), out: uri, force }),
  "leaf/report": of({ config, run: run.optional(), out: uri, force }),
  "leaf/inputAt": of({ uri }),
  "leaf/environment": of({ config: uri.optional() }),
} satisfies Record<ServerMethod, z.ZodType>;
