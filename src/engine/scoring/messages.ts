import * as z from "zod";
import type { Failure } from "../../protocol/jobs.ts";
import { text } from "../../protocol/schema/common.ts";
import { failure } from "../../protocol/schema/jobs.ts";
import type { Scorer } from "./context.ts";
import type { ImageFile } from "./openedImages.ts";
import type { HeatFiles, PictureSize } from "./pictureFiles.ts";
import type { ScoreRow } from "./scores.ts";

/** What the scoring process needs to know of a scorer. */
export type ScorerKey = Pick<Scorer, "kind" | "fingerprint" | "dir">;

/** One piece of work of the scoring process. */
export type ScorerTask =
  | { do: "score"; scorer: ScorerKey; image: ImageFile }
  | { do: "picture"; image: ImageFile; size: PictureSize; file: string }
  | { do: "heat"; scorer: ScorerKey; image: ImageFile; files: HeatFiles }
  | { do: "open"; scorer: ScorerKey };

/** Engine → scoring process. */
export interface ScorerRequest {
  id: number;
  task: ScorerTask;
}

/** Scoring process → engine. `about`: whether the image is at fault, or nothing can be scored. */
export type ScorerReply =
  | { ready: true }
  | { id: number; ok: true; row: ScoreRow | null }
  | { id: number; ok: false; about: "image" | "scorer"; failure: Failure };

const share = z.number().min(-1e-6).max(1.000001);
const scoreRow = z.object({
  hash: text,
  score: z.number(),
  probabilities: z.tuple([share, share, share, share, share]).nullable(),
  confidence: share.nullable(),
  distance: z.number().nullish(),
  sd: z.number().min(0).nullish(),
  beside: z.record(text, z.object({ score: z.number(), sd: z.number().min(0).optional() })).optional(),
});

/** The network in there is somebody's: what does not fit is no reply. */
export const scorerReply = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ id: z.int(), ok: z.literal(true), row: scoreRow.nullable() }),
  z.object({ id: z.int(), ok: z.literal(false), about: z.enum(["image", "scorer"]), failure }),
]) as z.ZodType<ScorerReply>;
