import type { OpenaiTeacherConfig, ServeConfig, TransformersTeacherConfig } from "./teacher.ts";

/** Model families that have prompts of their own in assets/prompts, by how their models are named. */
const families = [
  { name: "internvl", pattern: /intern-?vl/i },
  { name: "qwen-vl", pattern: /qwen[\d.]*-?vl/i },
  { name: "llava", pattern: /llava/i },
] as const;

/** The family that a model's name tells: `default` where it says nothing. */
export function teacherFamily(model: string): string {
  return families.find(({ pattern }) => pattern.test(model))?.name ?? "default";
}

/**
 * `teacher.maxTiles` where the config says nothing. At 6 a picture of 4:3 takes 1,794 tokens of InternVL-3.5 instead of the 3,330 of
 * its own 12, and keeps its shape (3 × 2 tiles; with 4 it is squeezed into 2 × 2).
 */
export const defaultMaxTiles = 6;
/** A tile is as many tokens as InternVL makes of 448 × 448 pixels. */
const tileTokens = 256;

/** The option of vLLM's processor for a model's family that keeps to a budget; undefined where it is not known to have one. */
export function processorOptions(model: string, tiles: number | null): Record<string, number> | undefined {
  if (tiles === null) return undefined;
  const family = teacherFamily(model);
  // The checkpoints for transformers say it otherwise than those with code of their own.
  if (family === "internvl") return { [/-hf$/i.test(model) ? "max_patches" : "max_dynamic_patch"]: tiles };
  if (family !== "qwen-vl") return undefined;
  // Pixels of a token: of Qwen2-VL and 2.5 28 × 28, from Qwen3-VL on 32 × 32.
  const side = /qwen-?2/i.test(model) ? 28 : 32;
  return { max_pixels: tiles * tileTokens * side ** 2 };
}

/** The budget that reaches the model, null where none does: part of who the teacher is. */
export function tileBudget(teacher: TransformersTeacherConfig | OpenaiTeacherConfig): number | null {
  if (teacher.kind === "transformers")
    return teacherFamily(teacher.model) === "llava" ? null : teacher.maxTiles;
  const { serve } = teacher;
  const model = serve?.model ?? teacher.model ?? "";
  const takes = !serve || [...serve.command, ...serve.args].some((part) => part.includes("{tiles}"));
  const unsaid = serve ? defaultMaxTiles : null;
  const tiles = teacher.maxTiles === undefined ? unsaid : teacher.maxTiles;
  return takes && processorOptions(model, tiles) ? tiles : null;
}

/** The server of a teacher, its budget filled in for {tiles} as JSON. */
export function servedBy(teacher: OpenaiTeacherConfig): ServeConfig | undefined {
  const { serve } = teacher;
  if (!serve) return undefined;
  const options = JSON.stringify(processorOptions(serve.model, tileBudget(teacher)) ?? {});
  const fill = (part: string) => part.replaceAll("{tiles}", options);
  return { ...serve, command: serve.command.map(fill), args: serve.args.map(fill) };
}

/** What each request says of it, where the server is not LEAF's own. */
export function requestedTiles(teacher: OpenaiTeacherConfig): Record<string, unknown> {
  const options = teacher.serve ? undefined : processorOptions(teacher.model ?? "", tileBudget(teacher));
  return options ? { mm_processor_kwargs: options } : {};
}
