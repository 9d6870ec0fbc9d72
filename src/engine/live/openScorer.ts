import path from "node:path";
import { LeafError } from "../errors.ts";
import { expectedScore, pointConfidence } from "../judgement.ts";
import { judgePicture, openStudent } from "../student.ts";
import { createEmbeddedTeacher } from "../teachers/embedded/index.ts";
import { makeHeat } from "./makeHeat.ts";
import type { OpenedImage } from "./openedImages.ts";
import type { HeatFiles } from "./pictureFiles.ts";
import type { ScorerKey } from "./scorerMessages.ts";
import type { ScoreRow } from "./scores.ts";

/** A scorer whose network is loaded. */
export interface OpenScorer {
  /** Throws LeafError `input` for an image that cannot be scored. */
  score(image: OpenedImage): Promise<ScoreRow>;
  /** Writes the heat map's files. Throws LeafError `input` from the embedded teacher and from an old student, which have none. */
  heat(image: OpenedImage, files: HeatFiles): Promise<void>;
  close(): Promise<void>;
}

/** One thread: what scores unasked must leave the machine to those who work on it. */
const threads = 1;

/** Throws LeafErrors `input` (no student there) and `environment`. */
export async function openScorer(scorer: ScorerKey): Promise<OpenScorer> {
  if (scorer.kind === "embedded") return openTeacher();
  if (scorer.dir === null) throw new LeafError("input", "The student has no folder.");
  const student = await openStudent(scorer.dir, { threads });
  return {
    async score(image) {
      const { score, distance } = await judgePicture(student, await image.pixels());
      return { hash: image.hash, score: finite(score), probabilities: null, confidence: null, distance };
    },
    heat: async (image, files) => makeHeat(student, await image.pixels(), files),
    close: () => student.close(),
  };
}

async function openTeacher(): Promise<OpenScorer> {
  const teacher = await createEmbeddedTeacher({ threads });
  return {
    async score(image) {
      const [judged] = await teacher.judgePoints([
        { hash: image.hash, name: path.basename(image.path), read: image.bytes },
      ]);
      if (!judged?.ok) throw new LeafError("input", judged?.reason ?? "The embedded teacher gave no answer.");
      const { probabilities } = judged;
      const confidence = pointConfidence(probabilities);
      return { hash: image.hash, score: finite(expectedScore(probabilities)), probabilities, confidence };
    },
    async heat() {
      throw new LeafError("input", "The embedded teacher has no heat map.", {
        remedy: "Distil a student for your images.",
      });
    },
    close: () => teacher.close(),
  };
}

function finite(score: number): number {
  if (Number.isFinite(score)) return score;
  throw new LeafError("failed", "The network gave no number.", { remedy: "Run the stage again." });
}
