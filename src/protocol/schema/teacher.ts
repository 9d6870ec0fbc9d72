import * as z from "zod";
import { count, filled } from "./common.ts";

// Engine ⇄ local teacher (`python -m leaf.teacher`), one JSON object a line. Python's side is written from here:
// `npm run contract`, into src/python/leaf/contract.
//
// The engine names images by their hash; the teacher asks for those it has not seen (`need`), and the engine sends each as an
// `image` or says why it cannot (`unreadable`). Requests may be sent ahead: they are answered in their order.

const v = z.literal(1);
const nullableText = z.string().nullable();

const imagePart = z.strictObject({ type: z.literal("image"), image: z.literal([0, 1]) });
const textPart = z.strictObject({ type: z.literal("text"), text: filled });
/** The same as `PromptPart` of the engine. */
export const promptPart = z.discriminatedUnion("type", [imagePart, textPart]);
// That a question shows its images once and in their order is Python's to check.
const question = z.array(promptPart);

const side = z.int().min(1).max(65_536);
/** Most tiles of an image (`teacher.maxTiles`); null leaves it to the processor. */
const maxTiles = z.int().min(1).max(64).nullable().default(null);

const prompts = z.strictObject({
  point: question,
  pair: question,
  reason: question,
  /** From best to worst. */
  words: z.array(filled).length(5),
  letters: z.tuple([filled, filled]),
  tie: filled.nullable(),
  prefill: filled.nullable(),
});

export const teacherOpen = z.strictObject({
  v,
  type: z.literal("open"),
  /** Hub id, or absolute path of a folder. */
  model: filled,
  /** The model is a folder: nothing is asked of the hub. */
  local: z.boolean(),
  revision: filled.nullable(),
  device: z.enum(["auto", "cpu", "cuda", "mps"]),
  dtype: z.enum(["auto", "bfloat16", "float16", "float32"]),
  /** What `dtype: auto` is on CUDA (`python.precision`). */
  precision: z.enum(["auto", "bf16", "fp16", "fp32"]).default("auto"),
  quantize: z.enum(["none", "4bit"]),
  attention: z.enum(["auto", "flash", "sdpa", "eager"]),
  /** Prompts in a forward pass. */
  batch: z.int().min(1).max(4096),
  /** MiB. */
  featureMemory: z.int().min(0).max(1_099_511_627_776),
  maxTiles,
  prompts,
});

/** How many tokens the questions take, by the processor alone: a first message that loads no weights, answered by `tokens`. */
export const teacherMeasure = z.strictObject({
  v,
  type: z.literal("measure"),
  model: filled,
  local: z.boolean(),
  revision: filled.nullable(),
  maxTiles,
  prompts,
  /** Widths and heights of pictures as they would be sent. */
  sizes: z.array(z.tuple([side, side])).min(1),
});

/** A contrastive image-text model: it answers `points` alone, by which text of each pair fits an image better. */
export const contrastiveOpen = z.strictObject({
  v,
  type: z.literal("openContrastive"),
  model: filled,
  local: z.boolean(),
  revision: filled.nullable(),
  device: z.enum(["auto", "cpu", "cuda", "mps"]),
  dtype: z.enum(["auto", "bfloat16", "float16", "float32"]),
  /** Images in a forward pass. */
  batch: z.int().min(1).max(4096),
  /** Of each pair the text for a good image comes first. */
  antonyms: z.array(z.tuple([filled, filled])).min(1),
});

const images = z.array(filled).min(1);
const points = z.strictObject({ v, id: count, type: z.literal("points"), images });
const pairs = z.strictObject({
  v,
  id: count,
  type: z.literal("pairs"),
  pairs: z.array(z.tuple([filled, filled])).min(1),
  orders: z.enum(["both", "one"]),
});
const explain = z.strictObject({ v, id: count, type: z.literal("explain"), images });
/** One image, or two in the order in which they are shown. */
const inspect = z.strictObject({ v, id: count, type: z.literal("inspect"), images: images.max(2) });
export const teacherAsked = z.discriminatedUnion("type", [points, pairs, explain, inspect]);

const image = z.strictObject({
  v,
  type: z.literal("image"),
  image: filled,
  width: side,
  height: side,
  /** Base64 of width * height * 3 bytes of interleaved 8-bit sRGB. */
  pixels: filled,
});
const unreadable = z.strictObject({ v, type: z.literal("unreadable"), image: filled, reason: filled });

export const teacherRequest = z.discriminatedUnion("type", [
  teacherOpen,
  contrastiveOpen,
  teacherMeasure,
  points,
  pairs,
  explain,
  inspect,
  image,
  unreadable,
]);

const masses = z.array(z.number().min(0));
const refusal = z.object({ ok: z.literal(false), reason: z.string() });
const ok = z.literal(true);
/** Mass on each rating word, before normalising. */
const rating = z.object({ ok, masses: masses.length(5) });
const masses2 = masses.min(2).max(3);
/** Mass on each letter, then on the tie if one is offered, asked as (a, b) and as (b, a). */
const preference = z.object({ ok, ab: masses2, ba: masses2.nullable() });
const reason = z.object({ ok, text: z.string() });
const topToken = z.object({ token: z.string(), probability: z.number() });
const namedAnswer = z.object({
  answer: z.string(),
  tokens: z.array(z.string()),
  probability: z.number(),
});
const inspection = z.object({
  ok,
  rendered: z.string(),
  prefill: nullableText,
  top: z.array(topToken),
  answers: z.array(namedAnswer),
  mass: z.number(),
});
/** Of each pair of antonyms the probability of its first text; the two of a pair sum to 1. */
const fit = z.object({ ok, first: z.array(z.number().min(0).max(1)).min(1) });
/** To points, pairs, explain and inspect, each question by itself. */
export const teacherAnswer = z.union([refusal, rating, preference, reason, inspection, fit]);

export const teacherHello = z.object({
  v,
  type: z.literal("hello"),
  model: z.string(),
  /** Of the model on the hub; null for a folder. */
  commit: nullableText,
  device: z.string(),
  deviceName: z.string(),
  dtype: z.string(),
  quantize: z.string(),
  attention: z.string(),
  /** Whether an image is encoded once, or for each prompt. */
  features: z.enum(["reused", "plain"]),
  whyPlain: nullableText,
  /** What keeps the model from thinking before its answer; null where its chat template knows nothing of that. */
  thinking: nullableText,
  torch: z.string(),
  transformers: z.string(),
});
export const contrastiveHello = z.object({
  v,
  type: z.literal("helloContrastive"),
  model: z.string(),
  commit: nullableText,
  device: z.string(),
  deviceName: z.string(),
  dtype: z.string(),
  /** The picture as it is sent, with positions interpolated; or as the model's own processor makes it. */
  sees: z.enum(["whole", "processor"]),
});
/** Images that the teacher has not seen, or no longer remembers. */
const need = z.object({ v, type: z.literal("need"), id: count, images: z.array(z.string()) });
/** Of each picture, and of the text around it in each question. */
const tokens = z.object({
  v,
  type: z.literal("tokens"),
  images: z.array(count),
  point: count,
  pair: count,
  reason: count,
});
const answer = z.object({ v, type: z.literal("answer"), id: count, answers: z.array(teacherAnswer) });
/** With `id`: of that request alone. Without: of the teacher, which ends. */
const error = z.object({
  v,
  type: z.literal("error"),
  id: count.nullable(),
  code: z.string(),
  message: z.string(),
  remedy: nullableText,
});

export const teacherMessage = z.discriminatedUnion("type", [
  teacherHello,
  contrastiveHello,
  need,
  tokens,
  answer,
  error,
]);

/** What Python has, under its names there. */
export const teacherContract = {
  Filled: filled,
  Count: count,
  ImagePart: imagePart,
  TextPart: textPart,
  PromptPart: promptPart,
  Prompts: prompts,
  Side: side,
  Open: teacherOpen,
  Antonyms: contrastiveOpen.shape.antonyms.element,
  OpenContrastive: contrastiveOpen,
  Measure: teacherMeasure,
  Images: images,
  Points: points,
  Pairs: pairs,
  Explain: explain,
  Inspect: inspect,
  Image: image,
  Unreadable: unreadable,
  TeacherRequest: teacherRequest,
  Mass: masses.element,
  Masses: masses2,
  TeacherAnswer: teacherAnswer,
  Refusal: refusal,
  Rating: rating,
  Preference: preference,
  Reason: reason,
  TopToken: topToken,
  NamedAnswer: namedAnswer,
  Inspection: inspection,
  Fit: fit,
  Hello: teacherHello,
  HelloContrastive: contrastiveHello,
  Need: need,
  Tokens: tokens,
  Answer: answer,
  Failure: error,
  TeacherMessage: teacherMessage,
};
