import path from "node:path";
import { quoted, say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { mostMegapixels } from "../images/limits.ts";
import { judgePrepared, openStudent } from "../student/student.ts";
import { createEmbeddedTeacher } from "../teachers/embedded/teacher.ts";
import { expectedScore, pointConfidence } from "../teachers/judgement.ts";
import { makeHeat } from "./makeHeat.ts";
import type { ScorerKey } from "./messages.ts";
import type { OpenedImage } from "./openedImages.ts";
import type { HeatFiles } from "./pictureFiles.ts";
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
  if (scorer.dir === null) throw new LeafError("input", say`The student has no folder.`);
  const student = await openStudent(scorer.dir, { threads });
  return {
    async score(image) {
      const picture = await image.prepared(student.card.input);
      const { score, distance, sd, beside } = await judgePrepared(student, picture);
      const told = { hash: image.hash, score, probabilities: null, confidence: null, distance, sd };
      return beside ? { ...told, beside } : told;
    },
    async heat(image, files) {
      const { input } = student.card;
      const picture = input.decode && (await image.prepared(input));
      await image.withPixels((pixels) => makeHeat(student, pixels, files, picture));
    },
    close: () => student.close(),
  };
}

async function openTeacher(): Promise<OpenScorer> {
  // One teacher for projects of different limits: their indexes have passed over what is too large.
  const teacher = await createEmbeddedTeacher({ threads, maxPixels: mostMegapixels * 1e6 });
  return {
    async score(image) {
      const [judged] = await teacher.judgePoints([
        { hash: image.hash, name: path.basename(image.path), read: image.bytes },
      ]);
      if (!judged?.ok)
        throw new LeafError(
          "input",
          judged ? quoted(judged.reason) : say`The embedded teacher gave no answer.`,
        );
      const { probabilities } = judged;
      const confidence = pointConfidence(probabilities);
      return { hash: image.hash, score: expectedScore(probabilities), probabilities, confidence };
    },
    async heat() {
      throw new LeafError("input", say`The embedded teacher has no heat map.`, {
        remedy: say`Distil a student for your images.`,
      });
    },
    close: () => teacher.close(),
  };
}
