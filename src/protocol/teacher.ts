/**
 * Engine ⇄ local teacher (`python -m leaf.teacher`), one JSON object a line. See src/python/leaf/teacher/request.py, which
 * refuses anything else.
 *
 * The engine names images by their hash; the teacher asks for those it has not seen (`need`), and the engine sends each as an
 * `image` or says why it cannot (`unreadable`). Requests may be sent ahead: they are answered in their order.
 */

/** The same as `PromptPart` of the engine. */
export type TeacherPromptPart = { type: "image"; image: 0 | 1 } | { type: "text"; text: string };

export interface TeacherOpen {
  v: 1;
  type: "open";
  /** Hub id, or absolute path of a folder. */
  model: string;
  /** The model is a folder: nothing is asked of the hub. */
  local: boolean;
  revision: string | null;
  device: "auto" | "cpu" | "cuda" | "mps";
  dtype: "auto" | "bfloat16" | "float16" | "float32";
  quantize: "none" | "4bit";
  attention: "auto" | "flash" | "sdpa" | "eager";
  /** Prompts in a forward pass. */
  batch: number;
  /** MiB. */
  featureMemory: number;
  prompts: {
    point: TeacherPromptPart[];
    pair: TeacherPromptPart[];
    reason: TeacherPromptPart[];
    words: string[];
    letters: string[];
    tie: string | null;
    prefill: string | null;
  };
}

export type TeacherQuestion =
  | { type: "points"; images: string[] }
  | { type: "pairs"; pairs: [a: string, b: string][]; orders: "both" | "one" }
  | { type: "explain"; images: string[] }
  /** One image, or two in the order in which they are shown. */
  | { type: "inspect"; images: string[] };

export type TeacherRequest =
  | TeacherOpen
  | ({ v: 1; id: number } & TeacherQuestion)
  /** `pixels`: base64 of width * height * 3 bytes of interleaved 8-bit sRGB. */
  | { v: 1; type: "image"; image: string; width: number; height: number; pixels: string }
  | { v: 1; type: "unreadable"; image: string; reason: string };

export interface TeacherHello {
  v: 1;
  type: "hello";
  model: string;
  /** Of the model on the hub; null for a folder. */
  commit: string | null;
  device: string;
  deviceName: string;
  dtype: string;
  quantize: string;
  attention: string;
  /** Whether an image is encoded once, or for each prompt. */
  features: "reused" | "plain";
  whyPlain: string | null;
  torch: string;
  transformers: string;
}

export type TeacherMessage =
  | TeacherHello
  | { v: 1; type: "need"; id: number; images: string[] }
  | { v: 1; type: "answer"; id: number; answers: TeacherAnswer[] }
  /** With `id`: of that request alone. Without: of the teacher, which ends. */
  | { v: 1; type: "error"; id: number | null; code: string; message: string; remedy: string | null };

export type TeacherAnswer =
  | { ok: false; reason: string }
  /** points: mass on each rating word, before normalising. */
  | { ok: true; masses: number[] }
  /** pairs: mass on each letter, then on the tie if one is offered, asked as (a, b) and as (b, a). */
  | { ok: true; ab: number[]; ba: number[] | null }
  /** explain */
  | { ok: true; text: string }
  /** inspect */
  | {
      ok: true;
      rendered: string;
      prefill: string | null;
      top: { token: string; probability: number }[];
      answers: { answer: string; tokens: string[]; probability: number }[];
      mass: number;
    };
