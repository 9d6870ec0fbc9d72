import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { say } from "../../../words/text.ts";
import { appRoot } from "../../base/appRoot.ts";
import { LeafError, messageOf } from "../../base/errors.ts";

const cardSchema = z.object({
  v: z.literal(2),
  input: z.object({ mostPixels: z.number().int().positive(), leastSide: z.number().int().positive() }),
  thresholds: z.array(z.number()).length(4),
  sigma: z.object({ mu: z.array(z.number()).min(2), sigma: z.array(z.number().positive()).min(2) }),
});

/** What the TypeScript side needs of `teacher.json`; the rest of that file is provenance. */
export type TeacherCard = z.infer<typeof cardSchema>;

export interface TeacherAssets {
  card: TeacherCard;
  model: Buffer;
}

/** Reads the card and the network of a folder, the shipped one by default. Throws LeafError `environment` where they are damaged. */
export async function readTeacherAssets(
  folder: string = path.join(appRoot(), "assets", "embedded-teacher"),
): Promise<TeacherAssets> {
  try {
    const card = cardSchema.parse(JSON.parse(await readFile(path.join(folder, "teacher.json"), "utf8")));
    if (card.sigma.mu.length !== card.sigma.sigma.length) throw new Error("sigma has gaps");
    return { card, model: await readFile(path.join(folder, "model.onnx")) };
  } catch (error) {
    throw new LeafError(
      "environment",
      say`The embedded teacher in ${folder} cannot be read: ${messageOf(error)}.`,
      {
        remedy: say`Install LEAF again.`,
        cause: error,
      },
    );
  }
}
