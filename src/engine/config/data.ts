import { z } from "zod";

const share = z.number().min(0).max(0.9);
const range = z
  .tuple([z.number(), z.number()])
  .refine(([lo, hi]) => hi > lo, "the range must be [lowest, highest]");

/** Refuses a regular expression that does not compile or captures nothing. */
const pattern = z.string().refine((source) => {
  try {
    return new RegExp(`${source}|`).exec("")?.length !== 1;
  } catch {
    return false;
  }
}, "must be a regular expression with one capture group, such as '^(.+)_[0-9]+'");

const groupBySchema = z.union([z.string().min(1), z.strictObject({ pattern }), z.null()]);

export const mosSchema = z.strictObject({
  file: z.string().min(1).meta({ description: "CSV file with human scores, relative to this file." }),
  image: z
    .string()
    .default("image")
    .meta({ description: "Column with the image's name: with or without folder or extension." }),
  score: z.string().default("mos").meta({ description: "Column with the mean opinion score." }),
  range: range.default([1, 5]).meta({ description: "Lowest and highest possible score." }),
  lowerIsBetter: z
    .boolean()
    .default(false)
    .meta({ description: "True for difference scores (DMOS), where 0 is best." }),
});

/** A dataset that a student is only evaluated on, all of its rated images. */
export const otherDatasetSchema = z.strictObject({
  name: z.string().min(1).meta({ description: "How tables call it." }),
  images: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .meta({ description: "Folder or globs of its images, relative to this file." }),
  mos: mosSchema.meta({ description: "Its human scores; the range may be another." }),
});

export const splitSchema = z.strictObject({
  test: share.default(0.2).meta({ description: "Share of images held out for `evaluate`." }),
  val: share.default(0.1).meta({ description: "Share of images that choose the best epoch." }),
  groupBy: groupBySchema.default(null).meta({
    description:
      "Images of one group never share two splits: a column of the MOS or split file, or `{pattern: …}` on the file name.",
  }),
  seed: z.int().default(0).meta({ description: "Another seed draws another split." }),
  file: z
    .string()
    .optional()
    .meta({ description: "CSV file with a column train | val | test; replaces the drawn split." }),
  image: z.string().default("image").meta({ description: "Column of the split file with the image's name." }),
  column: z
    .string()
    .default("split")
    .meta({ description: "Column of the split file with train, val or test." }),
});
