import { z } from "zod";
import type { TeacherMessage } from "../../../protocol/teacher.ts";
import { parseAs } from "../../base/json.ts";

const masses = z.array(z.number().min(0));
const failed = z.object({ ok: z.literal(false), reason: z.string() });
const nullableText = z.string().nullable();

const answer = z.union([
  failed,
  z.object({ ok: z.literal(true), masses: masses.length(5) }),
  z.object({ ok: z.literal(true), ab: masses.min(2).max(3), ba: masses.min(2).max(3).nullable() }),
  z.object({ ok: z.literal(true), text: z.string() }),
  z.object({
    ok: z.literal(true),
    rendered: z.string(),
    prefill: nullableText,
    top: z.array(z.object({ token: z.string(), probability: z.number() })),
    answers: z.array(z.object({ answer: z.string(), tokens: z.array(z.string()), probability: z.number() })),
    mass: z.number(),
  }),
]);

const message = z.discriminatedUnion("type", [
  z.object({
    v: z.literal(1),
    type: z.literal("hello"),
    model: z.string(),
    commit: nullableText,
    device: z.string(),
    deviceName: z.string(),
    dtype: z.string(),
    quantize: z.string(),
    attention: z.string(),
    features: z.enum(["reused", "plain"]),
    whyPlain: nullableText,
    torch: z.string(),
    transformers: z.string(),
  }),
  z.object({ v: z.literal(1), type: z.literal("need"), id: z.int(), images: z.array(z.string()) }),
  z.object({ v: z.literal(1), type: z.literal("answer"), id: z.int(), answers: z.array(answer) }),
  z.object({
    v: z.literal(1),
    type: z.literal("error"),
    id: z.int().nullable(),
    code: z.string(),
    message: z.string(),
    remedy: nullableText,
  }),
]);

/** A line of the protocol, or undefined for anything else that may have been printed. */
export function parseTeacherMessage(line: string): TeacherMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  const read = parseAs<TeacherMessage>(line, message);
  return read.ok ? read.value : undefined;
}
