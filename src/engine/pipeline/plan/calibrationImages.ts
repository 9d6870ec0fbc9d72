import path from "node:path";
import * as z from "zod";
import { imageHash } from "../../../protocol/schema/common.ts";
import { say } from "../../../words/text.ts";
import { writeJson } from "../../base/files.ts";
import { readJsonAs } from "../../base/json.ts";
import { digestLines, keyOf } from "../../base/keys.ts";
import { chooseCalibrationSubset } from "../../dataset/calibrationSubset.ts";
import { takeChoices } from "../../selection/strategies.ts";
import { candidatesOf, sampleCandidates, studentTable } from "../../selection/studentTable.ts";
import { isFinished, StageNotReady, type StageOptions, stageDir } from "../stage.ts";
import type { DistillPlan, Plan } from "./types.ts";

/** `choices/<key>.json` beside the student that chose: small, so that the plan never has to compute features. */
const choiceSchema = z.looseObject({
  v: z.literal(1),
  strategy: z.string(),
  hashes: z.array(imageHash),
});
type Choice = { v: 1; strategy: string; hashes: string[] };

/** The images whose MOS calibrate, of the rated training images. Their MOS are never looked at. */
export async function calibrationImages(
  { project, catalog }: Plan,
  rated: readonly string[],
  student: DistillPlan,
  choose?: StageOptions,
): Promise<string[]> {
  const { selection, ratio, seed } = project.config.calibrate;
  if (selection === "random" || rated.length < 2) return chooseCalibrationSubset(rated, ratio, seed);
  const { key } = student;
  const dir = stageDir(project, "distill", key);
  const count = chooseCalibrationSubset(rated, ratio, seed).length;
  const choiceKey = keyOf({ v: 1, selection, seed, count, rated: digestLines(rated) });
  const file = path.join(dir, "choices", `${choiceKey}.json`);
  const known = await readJsonAs(file, choiceSchema);
  const own = new Set(rated);
  if (known?.hashes.every((hash) => own.has(hash))) return known.hashes;
  if (!isFinished(project, "distill", key)) {
    throw new StageNotReady(
      say`\`calibrate.selection: ${selection}\` lets the distilled student choose, and there is none for this config yet.`,
      say`Run \`leaf distill\` first, or \`leaf run\` for all stages.`,
    );
  }
  if (!choose) {
    throw new StageNotReady(
      say`The distilled student has not chosen the images to calibrate with yet.`,
      say`Run \`leaf calibrate\`.`,
    );
  }
  const items = sampleCandidates(rated, seed).map((hash) => ({ hash, path: catalog.pathOf(hash) }));
  const table = await studentTable(project, `distill-${key}`, dir, items, {
    ...choose,
    threads: project.config.python.threads ?? undefined,
  });
  const candidates = candidatesOf(project, student.label.teacher, table, seed);
  const chosen = await takeChoices(selection, candidates, count, choose.signal);
  const hashes = chosen.map((i) => table.hashes[i]!);
  await writeJson(file, { v: 1, strategy: selection, hashes } satisfies Choice);
  return hashes;
}
