import path from "node:path";
import type { ScorerInfo } from "../../protocol/project.ts";
import type { RunRecord } from "../../protocol/results.ts";
import { studentCard } from "../../protocol/schema/student.ts";
import type { StudentCard } from "../../protocol/student.ts";
import { say } from "../../words/text.ts";
import { readJsonAs } from "../base/json.ts";
import type { Project } from "../config/project.ts";
import { currentStudent } from "../pipeline/currentStudent.ts";
import type { Scorer } from "./context.ts";

/** Who gives the scores that are shown: the current student of the config, else the embedded teacher. */
export async function currentScorer(
  project: Project,
  runs: readonly RunRecord[],
  embedded: string,
): Promise<Scorer> {
  const student = currentStudent(project, runs);
  const card =
    student && (await readJsonAs<StudentCard>(path.join(student.dir, "student.json"), studentCard));
  if (!student || !card) return { kind: "embedded", fingerprint: embedded, dir: null, card: null, run: null };
  const { stage, key, dir, run } = student;
  return { kind: "student", fingerprint: `${stage}-${key}`, dir, card, run: run.id };
}

/**
 * Tells whose scores are of use to a config of this folder: teachers', the current students', and those of what these were
 * distilled as, which the evaluation shows beside them. Scores of former students would only pile up.
 */
export async function scorersInUse(
  project: Project,
  runs: readonly RunRecord[],
): Promise<(scorer: string) => boolean> {
  const students = new Set<string>();
  for (const configFile of new Set(runs.map((run) => run.configFile))) {
    const { fingerprint, run } = await currentScorer({ ...project, configFile }, runs, "");
    students.add(fingerprint);
    const distilled = runs.find(({ id }) => id === run)?.stages.distill?.key;
    if (distilled) students.add(`distill-${distilled}`);
  }
  // Of a target beside the main one: scorerOf().
  return (scorer) => students.has(scorer.split("#", 1)[0]!) || !/^(distill|calibrate)-/.test(scorer);
}

/** A scorer in words and figures, for every language. */
export function scorerInfo({ kind, fingerprint, card, run }: Scorer): ScorerInfo {
  const scale = card?.mosScale;
  return {
    kind,
    fingerprint,
    title:
      kind === "embedded"
        ? say`embedded teacher`
        : card?.stage === "calibrate"
          ? say`student ${run ?? ""} · calibrated`
          : say`student ${run ?? ""} · distilled, not calibrated`,
    scale: scale ? [...scale.range] : [1, 5],
    lowerIsBetter: scale?.lowerIsBetter ?? false,
    ...(card?.targets && {
      targets: card.targets.map(({ name, mosScale: { range, lowerIsBetter } }) => ({
        name,
        scale: [...range],
        lowerIsBetter,
      })),
    }),
  };
}
