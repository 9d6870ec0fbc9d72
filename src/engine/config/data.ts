import * as z from "zod";
import { marked } from "../../words/text.ts";
import { globProblem } from "../base/globLimits.ts";
import { mosFormatNames } from "../mos/formats.ts";
import { subjectModels } from "../mos/subjects.ts";
import { mostTargets, targetsProblem } from "../mos/targets.ts";

const share = z.number().min(0).max(0.9);
const range = z
  .tuple([z.number(), z.number()])
  .refine(([lo, hi]) => hi > lo, marked("the range must be [lowest, highest]"))
  .refine(
    ([lo, hi]) => Math.max(Math.abs(lo), Math.abs(hi)) <= 1e6 && hi - lo >= 1e-6,
    marked("no scale of scores is that wide or narrow: both ends within ±1,000,000, and 0.000001 apart"),
  );

/** Refuses a regular expression that does not compile or captures nothing. */
const pattern = z.string().refine((source) => {
  try {
    return new RegExp(`${source}|`).exec("")?.length !== 1;
  } catch {
    return false;
  }
}, marked("must be a regular expression with one capture group, such as '^(.+)_[0-9]+'"));

const groupBySchema = z.union([z.string().min(1), z.strictObject({ pattern }), z.null()]);

const columns = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const targetSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(60)
    .optional()
    .meta({ description: "How messages call it; by default its column." }),
  column: z.string().min(1).meta({ description: "Column with its scores." }),
  std: z.string().min(1).optional().meta({ description: "Column with their standard deviation." }),
  count: z.string().min(1).optional().meta({ description: "Column with the number of opinions." }),
  range: range.optional().meta({
    description: "Its lowest and highest possible score; by default `mos.range`, else as the format has it.",
  }),
  lowerIsBetter: z
    .boolean()
    .optional()
    .meta({ description: "True if its lowest score is best. The default is `mos.lowerIsBetter`." }),
});

const targetsSchema = z
  .union([
    z.string().min(1),
    z
      .array(z.union([z.string().min(1), targetSchema]))
      .min(1)
      .max(mostTargets),
    z.record(z.string().min(1).max(60), z.union([z.string().min(1), targetSchema.omit({ name: true })])),
  ])
  .superRefine((score, context) => {
    const problem = targetsProblem(score);
    if (problem) context.addIssue({ code: "custom", message: problem });
  });

/** What `format` gives may be left out, so that the defaults here are only told: `completeMos` fills them in. */
const mosKeys = z.strictObject({
  file: z.string().min(1).meta({
    description:
      "File with human scores, relative to this file: CSV, TSV, Excel (.xlsx), JSON, JSON Lines or Parquet.",
  }),
  format: z.enum(mosFormatNames).optional().meta({
    description:
      "The dataset whose layout the file has; it sets the other keys. By default LEAF recognises it by the columns. `columns`: no known dataset, the keys below describe the file.",
  }),
  image: z.string().min(1).optional().meta({
    default: "image",
    description:
      "Column with the image's name, with or without folder or extension. The default comes from the format.",
  }),
  score: targetsSchema.optional().meta({
    default: "mos",
    description:
      "Column with the mean opinion score. Several targets: a list of columns, or a map of names to columns. The first is the main one; students have a score for each. By default as the format has it.",
  }),
  std: z.string().min(1).optional().meta({
    description: "Column with the standard deviation of the opinions, if the file has one.",
  }),
  count: z.string().min(1).optional().meta({
    description: "Column with the number of opinions, if the file has one.",
  }),
  rater: z.string().min(1).optional().meta({
    description:
      "Column with the rater's name. Each row is then one rating, and an image's rows make its MOS. By default LEAF looks for a column called `rater`, `annotator`, `user_id` …",
  }),
  raters: columns.optional().meta({
    description:
      "Columns that each hold the ratings of one person; `*` stands for any letters, as in `user*`.",
  }),
  votes: columns.optional().meta({
    description:
      "Columns that count the votes for each grade of the range, the lowest grade first, such as `[c1, c2, c3, c4, c5]`.",
  }),
  subjects: z.enum(subjectModels).optional().meta({
    default: "plain",
    description:
      "How single ratings become a MOS. `plain`: their mean, as datasets publish it. `bias-corrected`: their mean without each rater's bias, weighted by consistency (ITU-T P.913); this helps when raters have seen different images.",
  }),
  range: range.optional().meta({
    default: [1, 5],
    description: "Lowest and highest possible score. The default comes from the format.",
  }),
  lowerIsBetter: z.boolean().optional().meta({
    default: false,
    description: "True for difference scores (DMOS), where 0 is best. The default comes from the format.",
  }),
});

export const mosSchema = mosKeys.refine(
  ({ score, raters, votes }) => typeof score !== "object" || (raters === undefined && votes === undefined),
  {
    path: ["score"],
    message: marked("several targets have a column of scores each: `raters` and `votes` are of one target"),
  },
);

/** Folders and globs, no more than can be held in memory. */
export const imagesSchema = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .superRefine((images, context) => {
    const problem = globProblem(images);
    if (!problem) return;
    const path = Array.isArray(images) && problem.at !== undefined ? [problem.at] : [];
    context.addIssue({ code: "custom", message: problem.message, path });
  });

/** A dataset that a student is only evaluated on, all of its rated images. */
export const otherDatasetSchema = z.strictObject({
  name: z.string().min(1).meta({ description: "Its name in tables." }),
  images: imagesSchema.meta({ description: "Folder or globs of its images, relative to this file." }),
  mos: mosSchema
    .refine(({ score }) => typeof score !== "object", {
      path: ["score"],
      message: marked("another dataset is compared on the main target: name one column"),
    })
    .meta({ description: "Its human scores; the range may be another." }),
});

/** How alike two images are at least to be taken for one picture: docs/datasets.md says what it finds. */
export const defaultSimilar = 0.95;

export const splitSchema = z.strictObject({
  test: share.default(0.2).meta({ description: "Share of images held out for `evaluate`." }),
  val: share.default(0.1).meta({ description: "Share of images that choose the best epoch." }),
  groupBy: groupBySchema.optional().meta({
    default: null,
    description:
      "Keeps the images of a group in one split; intervals and tests then draw whole groups. A column of the MOS or split file, `{pattern: …}` on the file name, or `similar`: near duplicates only. By default the references of KADID-10k, TID2013 and CSIQ; null: no groups.",
  }),
  similar: z.number().min(0.8).max(1).nullable().optional().meta({
    default: null,
    description:
      "Keeps near duplicates (the same picture saved, scaled, cut or converted again) in one split when LEAF draws it. The value is the least correlation of two such images, from 0.8 to 1. `leaf init` writes 0.95; null: LEAF does not look for them.",
  }),
  seed: z.int().default(0).meta({ description: "Another seed draws another split." }),
  file: z.string().optional().meta({
    description: "Table file that says train, val or test for each image. LEAF then draws no split.",
  }),
  image: z.string().default("image").meta({ description: "Column of the split file with the image's name." }),
  column: z
    .string()
    .default("split")
    .meta({ description: "Column of the split file that says train, val or test." }),
});
