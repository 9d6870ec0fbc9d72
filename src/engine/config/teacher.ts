import * as z from "zod";
import { marked } from "../../words/text.ts";
import { isPlaceholder, isSecretName, isWorthHiding, looksSecret, secretOptions } from "../base/redact.ts";
import { isKeyVariable } from "./keyVariables.ts";
import { questionOf, questions } from "./namedQuestion.ts";

const text = z.string().trim().min(1);

const domain = text.meta({
  description:
    "What the images are: `photo` (user-generated content), `aigc` (AI-generated images), `render`, `document`, `medical`, `satellite`, or your own words, such as `product shot`.",
});
const question = z.enum(questions).optional();

/** What the words of a question are made of. */
const wording = {
  text: text.optional().meta({
    description: "With `question: alignment`: what all the images should show. {text} in the questions.",
  }),
  point: text.optional().meta({
    description: "Question about one image. LEAF puts the image first, and fills in {domain} and {words}.",
  }),
  pair: text
    .optional()
    .meta({ description: "Question about a pair. LEAF fills in {domain}, {first} and {second}." }),
  reason: text.optional().meta({ description: "Question for `label.reasons`. LEAF fills in {domain}." }),
  words: z
    .tuple([text, text, text, text, text])
    .optional()
    .meta({ description: "Five rating words, from best to worst." }),
  letters: z
    .tuple([text, text])
    .optional()
    .meta({ description: "Answers for “the first image is better” and “the second”." }),
  tie: text.nullable().optional().meta({
    description:
      "Answer for “no difference”. Each image gets half of its probability. Null: LEAF does not offer this answer.",
  }),
  prefill: z.string().nullable().optional().meta({
    description: "Start of the answer, which LEAF writes for the teacher if the server can go on from it.",
  }),
};

const targetName = z.string().min(1).max(60);

const targetPrompts = z
  .strictObject({
    question: question.meta({
      description:
        "What LEAF asks about for this target. The default is the question that the target is named after.",
    }),
    domain: domain.optional(),
    ...wording,
  })
  .refine(({ question, text }) => question !== "alignment" || text !== undefined, {
    path: ["text"],
    message: marked("is missing: `alignment` asks how well an image shows it"),
  });

const promptsSchema = z
  .strictObject({
    family: z.enum(["auto", "default", "internvl", "qwen-vl", "llava"]).default("auto").meta({
      description: "Whose prompts to start from; `auto` goes by the model's name.",
    }),
    domain: domain.default("photo"),
    question: question.meta({
      default: "quality",
      description:
        "What LEAF asks about: visual quality, beauty regardless of technical flaws, or how well an image shows `text`. Your own `point` and `pair` replace it.",
    }),
    ...wording,
    targets: z
      .record(targetName, targetPrompts.nullable())
      .superRefine((targets, context) => {
        for (const [name, own] of Object.entries(targets))
          if (own && !own.question && !questionOf(name) && !(own.point && own.pair))
            context.addIssue({
              code: "custom",
              path: [name],
              message: marked("needs a `question`, or your own `point` and `pair`"),
            });
      })
      .optional()
      .meta({
        description:
          "Questions for targets beside the main one, by their names in `mos.score`. Each has the keys of `prompts`. By default LEAF asks for a target that is named after a `question`, and for no other. Null: LEAF does not ask for it.",
      }),
  })
  .refine((prompts) => prompts.question !== "alignment" || prompts.text !== undefined, {
    path: ["text"],
    message: marked("is missing: `alignment` asks how well an image shows it"),
  })
  .prefault({})
  .meta({ description: "What LEAF asks the teacher; by default in the words of its model family." });

const maxSide = z.int().min(32).max(16384).nullable().default(1024).meta({
  description:
    "LEAF reduces larger images to this many pixels on the long side; null sends them as they are.",
});

const maxTiles = z.int().min(1).max(64).nullable();
const tilesText =
  "Most tiles of an image, of 256 tokens each (InternVL adds a thumbnail); passed on as the processor's own option.";

const revision = text.optional().meta({ description: "Branch, tag or commit of the model on the hub." });
const device = z.enum(["auto", "cpu", "cuda", "mps"]).default("auto").meta({ description: "Where it runs." });
const dtype = z
  .enum(["auto", "bfloat16", "float16", "float32"])
  .default("auto")
  .meta({ description: "Precision; `auto`: bfloat16 on a GPU, float32 on a CPU." });

const embeddedTeacher = z.strictObject({
  kind: z.literal("embedded").meta({
    description:
      "A small no-reference model that ships with LEAF. It needs no download and no GPU, and is blind to content.",
  }),
});

const endpoint = z
  .url({ protocol: /^https?$/, error: marked("must be a URL such as http://127.0.0.1:8000/v1") })
  .refine((url) => {
    const { username, password } = URL.canParse(url) ? new URL(url) : { username: "", password: "" };
    return username === "" && password === "";
  }, marked("must not hold a password or a user; name the key's environment variable by `keyEnv`"))
  .refine(
    (url) => !URL.canParse(url) || !/[?#]/.test(url),
    marked("must not have a part after `?` or `#`; name the key's environment variable by `keyEnv`"),
  );

const useVariable = 'name an environment variable instead: `env: { VLLM_API_KEY: "{env:MY_API_KEY}" }`';

/** Keys stand in no config: it is shared, stored with each run, and arguments are seen by every user of the machine. */
const argumentsSchema = z.array(text).superRefine((parts, context) => {
  const named = secretOptions(parts).filter(({ value }) => !isPlaceholder(value));
  for (const { at, option } of named)
    context.addIssue({
      code: "custom",
      path: [at],
      message: `must not hold the key of ${option}; ${useVariable}`,
    });
  parts.forEach((part, i) => {
    if (looksSecret(part) && !named.some(({ at }) => at === i))
      context.addIssue({ code: "custom", path: [i], message: `must not hold a key; ${useVariable}` });
  });
});

const variablesSchema = z.record(z.string(), z.string()).superRefine((variables, context) => {
  for (const [name, value] of Object.entries(variables))
    if (looksSecret(value) || (isSecretName(name) && isWorthHiding(value) && !isPlaceholder(value)))
      context.addIssue({
        code: "custom",
        path: [name],
        message: 'must not hold a key; name an environment variable that does: `"{env:MY_API_KEY}"`',
      });
});

const serveSchema = z.strictObject({
  model: text.meta({ description: "Hub id, folder or GGUF file that the server loads." }),
  command: argumentsSchema
    .min(1)
    .default([
      ...["vllm", "serve", "{model}", "--host", "127.0.0.1", "--port", "{port}"],
      // Two images of 12 tiles are 6.7 thousand tokens; without a limit vLLM plans for the model's own 40,960 and more.
      ...["--max-model-len", "8192", "--limit-mm-per-prompt", '{"image": 2, "video": 0}'],
      ...["--mm-processor-kwargs", "{tiles}", "--max-logprobs", "500", "--enable-prefix-caching"],
    ])
    .meta({
      description:
        "Program and arguments that start the server. LEAF fills in {model}, {port}, {tiles} (`maxTiles` in the form of vLLM's `--mm-processor-kwargs`) and {env:NAME}, and uses no shell. The server must listen on 127.0.0.1. LEAF asks you before it runs the program.",
    }),
  args: argumentsSchema
    .default([])
    .meta({ description: "More arguments at the end of the command. Do not put keys here." }),
  env: variablesSchema.default({}).meta({
    description:
      "More environment variables. Write a key as `{env:NAME}`, with the name of the variable that holds it.",
  }),
  port: z.int().min(1).max(65535).nullable().default(null).meta({ description: "Null chooses a free one." }),
  startMinutes: z
    .number()
    .positive()
    .max(600)
    .default(30)
    .meta({ description: "How many minutes the server may take to start." }),
  idleMinutes: z
    .number()
    .min(0)
    .max(10_000)
    .default(15)
    .meta({ description: "LEAF stops the server when no run has used it for this many minutes." }),
});

/** What LEAF reads the answer by is its own. */
const ownFields = ["model", "messages", "logprobs", "top_logprobs", "n", "stream", "max_tokens"];

const requestSchema = z.record(z.string(), z.json()).superRefine((fields, context) => {
  for (const key of Object.keys(fields))
    if (ownFields.includes(key))
      context.addIssue({ code: "custom", path: [key], message: marked("is a field that LEAF sets itself") });
  if (looksSecret(JSON.stringify(fields)))
    context.addIssue({
      code: "custom",
      message: marked("must not hold a key; name its environment variable by `keyEnv`"),
    });
});

const openaiTeacher = z
  .strictObject({
    kind: z.literal("openai").meta({
      description:
        "Any OpenAI-compatible endpoint: vLLM, SGLang, llama.cpp, LM Studio, OpenAI. Choose one that gives log-probabilities if you can.",
    }),
    endpoint: z
      .union([endpoint, z.array(endpoint).min(1)])
      .optional()
      .meta({ description: "Base URL, or several URLs that share the work." }),
    serve: serveSchema
      .optional()
      .meta({ description: "LEAF starts a server itself; then leave out `endpoint`." }),
    model: text
      .optional()
      .meta({ description: "The model's name at the endpoint; by default the model of `serve`." }),
    keyEnv: z
      .string()
      .regex(
        /^[A-Za-z_][A-Za-z0-9_]*$/,
        marked("must be the name of an environment variable, never the key itself"),
      )
      .refine(
        (name) => isKeyVariable(name, process.env),
        marked(
          "must be called *_API_KEY or LEAF_*, or be allowed by your setting `leaf.teacher.allowedKeyVariables` (LEAF_ALLOWED_KEY_ENV)",
        ),
      )
      .optional()
      .meta({
        description:
          "Environment variable with the API key: *_API_KEY, LEAF_*, or one that the user's settings allow. Without it LEAF uses the key that was set in the editor for this endpoint, if any.",
      }),
    request: requestSchema.optional().meta({
      description:
        "Extra fields that LEAF adds to every request unchanged, such as `reasoning_effort`, `provider` or `seed`. Other fields make another teacher.",
    }),
    probabilities: z.enum(["auto", "logprobs", "sampling"]).default("auto").meta({
      description:
        "How LEAF finds the teacher's probabilities: from log-probabilities, or by asking several times. `auto`: from log-probabilities if the server gives them.",
    }),
    samples: z.int().min(2).max(1000).default(16).meta({
      description:
        "How many answers LEAF asks for each question when it estimates probabilities by asking several times.",
    }),
    maxSide,
    maxTiles: maxTiles.optional().meta({
      description: `${tilesText} By default 6 for \`serve\`, and left to the server for \`endpoint\`; a number is then sent with each request as vLLM's \`mm_processor_kwargs\`. null leaves it to the model. Another number makes another teacher.`,
    }),
    concurrency: z.int().min(1).max(4096).default(64).meta({
      description:
        "Most requests at the same time, for each endpoint. LEAF finds out how many make it faster.",
    }),
    timeout: z
      .number()
      .positive()
      .max(3600)
      .default(120)
      .meta({ description: "Seconds a request may take." }),
    patience: z
      .number()
      .min(0)
      .max(86400)
      .default(300)
      .meta({ description: "Seconds to keep trying while no endpoint answers at all." }),
    price: z
      .strictObject({
        input: z.number().min(0).meta({ description: "Per million input tokens." }),
        output: z.number().min(0).default(0).meta({ description: "Per million output tokens." }),
        currency: text.default("USD").meta({ description: "For display." }),
      })
      .optional()
      .meta({ description: "What tokens cost, to estimate and to limit." }),
    limit: z
      .strictObject({
        requests: z.int().min(1).optional().meta({ description: "Most requests of one `leaf label`." }),
        tokens: z.int().min(1).optional().meta({ description: "Most tokens of one `leaf label`." }),
        cost: z
          .number()
          .positive()
          .optional()
          .meta({ description: "Most money for one `leaf label`; needs `price`." }),
      })
      .optional()
      .meta({ description: "Limits at which labelling stops. No answer is lost." }),
    prompts: promptsSchema,
  })
  .refine((teacher) => (teacher.endpoint === undefined) !== (teacher.serve === undefined), {
    message: marked("takes either `endpoint` or `serve`"),
  })
  .refine((teacher) => teacher.model !== undefined || teacher.endpoint === undefined, {
    path: ["model"],
    message: marked("is missing: the model's name at the endpoint"),
  })
  .refine((teacher) => teacher.limit?.cost === undefined || teacher.price !== undefined, {
    path: ["limit"],
    message: marked("`cost` needs `price`"),
  });

const transformersTeacher = z.strictObject({
  kind: z.literal("transformers").meta({
    description:
      "A multimodal LLM that LEAF runs on this machine by Hugging Face transformers: InternVL, Qwen-VL, LLaVA and others.",
  }),
  model: text.meta({ description: "Hub id or local folder, such as OpenGVLab/InternVL3_5-8B-HF." }),
  revision,
  device,
  dtype,
  quantize: z
    .enum(["none", "4bit"])
    .default("none")
    .meta({ description: "Four-bit weights (CUDA, package bitsandbytes)." }),
  attention: z
    .enum(["auto", "flash", "sdpa", "eager"])
    .default("auto")
    .meta({ description: "Attention kernels; `auto`: flash attention where it is installed, else SDPA." }),
  batch: z
    .int()
    .min(1)
    .max(4096)
    .default(16)
    .meta({ description: "Prompts in a forward pass; halved when memory runs out." }),
  featureMemory: z
    .int()
    .min(0)
    .default(4096)
    .meta({ description: "MiB of main memory that keep the features of images for the next prompts." }),
  maxSide,
  maxTiles: maxTiles.default(6).meta({
    description: `${tilesText} null leaves it to the model (12 for InternVL). Another number makes another teacher.`,
  }),
  prompts: promptsSchema,
});

const antonyms = z.array(z.tuple([text, text])).min(1);

const antonymPrompts = z
  .strictObject({
    domain: domain.default("photo"),
    quality: antonyms.optional().meta({
      description:
        "Pairs of opposite texts, the text for a good image first. LEAF fills in {domain} and {Domain}. The score is the mean over the pairs.",
    }),
    attributes: z
      .array(z.strictObject({ good: text, bad: text, reason: text }))
      .optional()
      .meta({
        description:
          "Opposite texts that give reasons for `label.reasons`: LEAF says `reason` if `bad` fits the image better.",
      }),
    targets: z
      .record(targetName, z.strictObject({ quality: antonyms }).nullable())
      .optional()
      .meta({
        description:
          "Pairs of opposite texts for targets beside the main one, by their names in `mos.score`. The model is not asked for other targets.",
      }),
  })
  .prefault({})
  .meta({
    description:
      "Opposite texts that the model compares images with; by default those of assets/prompts/clip.yaml.",
  });

const clipTeacher = z.strictObject({
  kind: z.literal("clip").meta({
    description:
      "A contrastive image-text model (CLIP, SigLIP) that compares each image with opposite texts, as CLIP-IQA does. It sees content, and needs one download but no GPU.",
  }),
  model: text.meta({ description: "Hub id or local folder, such as google/siglip-base-patch16-224." }),
  revision,
  device,
  dtype,
  batch: z.int().min(1).max(4096).default(8).meta({
    description: "Images in a forward pass; halved when memory runs out.",
  }),
  maxSide: z.int().min(32).max(16384).default(512).meta({
    description:
      "LEAF reduces larger images to this many pixels on the long side; the model sees the whole image. More pixels cost more time.",
  }),
  noise: z.number().min(0.05).max(4).default(0.6).meta({
    description:
      "Standard error of a score on 1..5. The probabilities of ratings and pairs depend on it. It is an assumption, not a measurement: see docs/teachers.md.",
  }),
  prompts: antonymPrompts,
});

const oneTeacher = z.discriminatedUnion("kind", [
  embeddedTeacher,
  clipTeacher,
  openaiTeacher,
  transformersTeacher,
]);

const ensembleTeacher = z
  .strictObject({
    kind: z.literal("ensemble").meta({
      description: "Several teachers. LEAF keeps their labels apart and combines them in log-odds.",
    }),
    of: z.array(oneTeacher).min(2).max(8).meta({
      description:
        "The teachers, at least two. LEAF asks each by itself. The scores of the first choose near pairs.",
    }),
    weights: z
      .union([z.enum(["auto", "equal"]), z.array(z.number().positive().max(1000))])
      .default("auto")
      .meta({
        description:
          "The weight of each teacher: `equal`, a number for each, or `auto`: by how well its scores agree with the ratings of calibration images. An image's own rating does not count for its own label. With fewer than 10 ratings: equal.",
      }),
  })
  .refine(({ of, weights }) => !Array.isArray(weights) || weights.length === of.length, {
    path: ["weights"],
    message: marked("needs one number for each teacher of `of`"),
  });

export const teacherSchema = z.discriminatedUnion("kind", [...oneTeacher.options, ensembleTeacher]);

export type OneTeacherConfig = z.output<typeof oneTeacher>;
export type EnsembleConfig = z.output<typeof ensembleTeacher>;

/** Who is asked: the teachers of an ensemble, or the one. */
export function membersOf(teacher: TeacherConfig): OneTeacherConfig[] {
  return teacher.kind === "ensemble" ? teacher.of : [teacher];
}

/** The keys under which one of them stands. */
export function memberPath(teacher: TeacherConfig, at: number): (string | number)[] {
  return teacher.kind === "ensemble" ? ["teacher", "of", at] : ["teacher"];
}

export type TeacherConfig = z.output<typeof teacherSchema>;
export type OpenaiTeacherConfig = z.output<typeof openaiTeacher>;
export type ServeConfig = z.output<typeof serveSchema>;
export type TransformersTeacherConfig = z.output<typeof transformersTeacher>;
export type ClipTeacherConfig = z.output<typeof clipTeacher>;
export type PromptsConfig = z.output<typeof promptsSchema>;
