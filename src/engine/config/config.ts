import * as z from "zod";
import { marked } from "../../words/text.ts";
import { defaultMaxMegapixels, mostMegapixels } from "../images/limits.ts";
import { completeMos, type WrittenMos } from "../mos/complete.ts";
import { factsOf } from "../mos/formats.ts";
import { defaultSimilar, imagesSchema, mosSchema, otherDatasetSchema, splitSchema } from "./data.ts";
import { unknownTarget, withMainQuestion } from "./questions.ts";
import { withRecipe } from "./recipes.ts";
import { type TeacherConfig, teacherSchema } from "./teacher.ts";
import { calibrateSchema, distillSchema, studentSchema } from "./training.ts";

/** What `label.stopAfterFailures` is where nothing says otherwise. */
export const defaultStopAfterFailures = 20;
/** What `label.minConfidence` is where nothing says otherwise. */
export const defaultMinConfidence = 0.1;

const labelSchema = z.strictObject({
  pairsPerImage: z
    .int()
    .min(0)
    .max(1000)
    .default(8)
    .meta({ description: "With about how many other images the teacher compares each training image." }),
  pairs: z.enum(["random", "near", "mixed", "adaptive"]).default("random").meta({
    description:
      "Which pairs: `random`, close in point-wise score (`near`), or half of each (`mixed`). `adaptive` asks in rounds. Each round takes the pairs that tell most about the order of the images. The number of pairs is always the same.",
  }),
  minConfidence: z
    .union([z.number().min(0).max(1), z.literal("auto")])
    .default(defaultMinConfidence)
    .meta({
      description:
        "LEAF discards pairs with less confidence (1 − normalised entropy). `auto`: the least confidence from which pairs of calibration images are right significantly more often than wrong; for this LEAF asks about up to 300 such pairs.",
    }),
  seed: z.int().default(0).meta({ description: "Another seed draws other pairs." }),
  check: z
    .array(z.enum(["train", "val", "test"]))
    .default([])
    .meta({
      description:
        "Splits whose rated images the teacher also compares, at most 300 pairs each, for `leaf reliability`. Nothing learns from these pairs.",
    }),
  orders: z.enum(["both", "one"]).default("both").meta({
    description:
      "`both`: ask about each pair in both orders, which cancels position bias. `one`: ask once, at half the price.",
  }),
  stopAfterFailures: z.int().min(1).nullable().default(defaultStopAfterFailures).meta({
    description:
      "Labelling stops with an error if its first answers all fail, this many of them; null: it always goes on.",
  }),
  pauseAtFailures: z.number().min(0).max(1).nullable().default(0.5).meta({
    description:
      "Labelling pauses once when more than this share of the last 40 answers failed; the next `leaf label` goes on. null: never.",
  }),
  reasons: z.boolean().default(false).meta({
    description:
      "Also ask for a short reason for each image, in a separate request. It never changes the score.",
  }),
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
  datasets: z
    .array(otherDatasetSchema)
    .refine(
      (all) => new Set(all.map(({ name }) => name)).size === all.length,
      marked("two datasets have the same name"),
    )
    .optional()
    .meta({ description: "Other rated datasets to try the students on. Nothing learns from them." }),
});

const pythonSchema = z.strictObject({
  interpreter: z.string().optional().meta({
    description:
      "Python that trains; by default the one that `leaf env` set up. LEAF asks before it runs another one. The user's own choice (LEAF_PYTHON, the editor's setting) comes first.",
  }),
  device: z.enum(["auto", "cpu", "cuda", "mps"]).default("auto").meta({ description: "Where to train." }),
  precision: z.enum(["auto", "bf16", "fp16", "fp32"]).default("auto").meta({
    description:
      "Number format of the trainer and the local teacher on a CUDA GPU. `auto`: bf16 if the GPU has it (Ampere and newer), fp16 with loss scaling on older ones (T4, V100, RTX 20), fp32 without tensor cores. A CPU uses fp32.",
  }),
  cache: z.enum(["auto", "raw", "webp"]).default("auto").meta({
    description:
      "How decoded pictures are kept for training: `raw` pixels, or lossless WebP, which takes less than half of the disk and some 10 ms of a core for each picture at each use. The pixels are the same. `auto`: WebP where raw ones would take more than half of the free disk.",
  }),
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
    images: imagesSchema.meta({ description: "Folder or globs of the images, relative to this file." }),
    maxMegapixels: z.number().positive().max(mostMegapixels).default(defaultMaxMegapixels).meta({
      description:
        "LEAF leaves out images with more million pixels than this. Decoding one of 268 takes some 800 MB of memory.",
    }),
    mos: mosSchema.optional().meta({
      description:
        "Human mean opinion scores (MOS). LEAF never shows them to the teacher, and `distill` does not use them.",
    }),
    split: splitSchema.prefault({}).meta({
      description: "Which images train the student, which choose its epoch, and which are held out.",
    }),
    teacher: teacherSchema.prefault({ kind: "embedded" }).meta({ description: "Who judges the images." }),
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
    message: marked("`test` and `val` together must leave images to train on"),
  })
  .refine((config) => config.label.minConfidence !== "auto" || config.calibrate.selection === "random", {
    path: ["label", "minConfidence"],
    message: marked(
      "`auto` needs `calibrate.selection: random`: other selections wait for the student that it trains",
    ),
  })
  .refine(
    ({ teacher, mos, calibrate }) =>
      teacher.kind !== "ensemble" ||
      teacher.weights !== "auto" ||
      mos === undefined ||
      calibrate.selection === "random",
    {
      path: ["teacher", "weights"],
      message: marked(
        "`auto` needs `calibrate.selection: random`: other selections wait for the student that it trains",
      ),
    },
  )
  .superRefine(({ teacher, mos }, context) => {
    const unknown = unknownTarget(teacher, mos?.score);
    if (!unknown) return;
    const message = unknown.main
      ? marked("is the main target: its question is that of `prompts` itself")
      : marked("is no target of `mos.score`");
    context.addIssue({ code: "custom", path: unknown.path, message });
  })
  .transform(({ mos: written, evaluate: { datasets, ...evaluate }, ...config }) => ({
    ...config,
    ...withRecipe(config.student, config.distill, config.calibrate),
    ...completed(config.teacher, written),
    evaluate: {
      ...evaluate,
      ...(datasets ? { datasets: datasets.map((one) => ({ ...one, mos: completeMos(one.mos) })) } : {}),
    },
    split: { ...config.split, ...grouping(config.split, written?.format) },
  }));

function completed(teacher: TeacherConfig, written: WrittenMos | undefined) {
  const mos = written && completeMos(written);
  return { teacher: withMainQuestion(teacher, mos), ...(mos && { mos }) };
}

type Grouping = z.output<typeof splitSchema>;

/**
 * The dataset's own groups, unless the config says otherwise: null says that there are none. Twins are kept together only where the
 * config says so, as `leaf init` does: former splits stay, and nobody waits unasked until all images were looked at.
 */
function grouping(
  { groupBy, similar }: Pick<Grouping, "groupBy" | "similar">,
  format: string | undefined,
): { groupBy: NonNullable<Grouping["groupBy"]> | null; similar: number | null } {
  const bySimilarity = groupBy === "similar";
  const groups = bySimilarity || groupBy === null ? null : (groupBy ?? factsOf(format)?.groupBy ?? null);
  return {
    groupBy: groups,
    similar: similar === undefined ? (bySimilarity ? defaultSimilar : null) : similar,
  };
}

export type Config = z.output<typeof configSchema>;

/** JSON Schema of `leaf.yaml` (what a user may write, so defaults are optional). */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: "input" }) as Record<string, unknown>;
}
