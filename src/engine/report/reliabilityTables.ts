import type {
  CalibrationMetrics,
  TeacherReliability,
  TemperatureScaling,
} from "../../protocol/reliability.ts";
import { figure, percent, withInterval } from "../../words/figure.ts";
import { isCancelled, LeafError } from "../base/errors.ts";
import type { Project } from "../config/project.ts";
import type { StageOptions } from "../pipeline/stage.ts";
import { teacherReliability } from "../views/teacherReliability.ts";
import type { ReportTable } from "./data.ts";

/** Groups that the teacher is worst at; a dataset may have thousands. */
const shownGroups = 12;

/** Whether the run's teacher is right; nothing without human scores, or where images or labels are gone. */
export async function reliabilityTables(
  project: Project,
  { signal, onProgress }: StageOptions = {},
): Promise<ReportTable[]> {
  try {
    return tablesOf(await teacherReliability(project, { signal, onProgress }));
  } catch (error) {
    if (error instanceof LeafError && !isCancelled(error)) return [];
    throw error;
  }
}

export function tablesOf(found: TeacherReliability): ReportTable[] {
  const { pairs, points, groups } = found;
  if (!pairs && !points) return [];
  const rows = [
    ...(points ? rowsOf("Single images", points, points.temperature) : []),
    ...(pairs ? rowsOf("Pairs", pairs, pairs.temperature) : []),
  ];
  const tables: ReportTable[] = [
    {
      title: "Is the teacher right?",
      header: ["Judgements", "n", "Right", "ECE", "Brier", "NLL", "AUROC"],
      rows,
      note: noteOf(found),
    },
  ];
  if (groups.length > 1)
    tables.push({
      title: "The teacher by group, worst first",
      header: ["Group", "Pairs", "Right", "Confidently wrong"],
      rows: groups
        .slice(0, shownGroups)
        .map(({ group, pairs: n, right, confidentlyWrong }) => [
          group || "(none)",
          String(n),
          percent(right),
          String(confidentlyWrong),
        ]),
      note: groups.length > shownGroups ? `The ${shownGroups} worst of ${groups.length} groups.` : undefined,
    });
  return tables;
}

/** As claimed, then the same on other images than those that the temperature was fitted on, before and after it. */
function rowsOf(
  what: string,
  metrics: CalibrationMetrics,
  { temperature, before, after }: TemperatureScaling,
): string[][] {
  const row = (name: string, { n, right, ece, brier, nll, auroc }: CalibrationMetrics) => [
    name,
    String(n),
    percent(right),
    ...[ece, brier, nll, auroc].map((value) => figure(value)),
  ];
  const rows = [row(what, metrics)];
  if (temperature !== null && before && after)
    rows.push(
      row(`${what}, other than calibration images`, before),
      row(`${what}, these scaled by T = ${figure(temperature, 2)}`, after),
    );
  return rows;
}

function noteOf({ rated, calibration, pairs, points, positionBias: bias }: TeacherReliability): string {
  const sentences = [
    `Against the human scores of ${rated} training images, ${calibration} of them for calibration, on which alone a temperature T is fitted; those of test images are kept for the evaluation.`,
  ];
  if (points?.srcc != null) {
    sentences.push(
      `SRCC of its scores ${withInterval(points.srcc, points.ci95)}. A single image is right where the top word is that of the MOS.`,
    );
  }
  if (pairs)
    sentences.push(
      `Pairs whose MOS differ by less than ${figure(pairs.threshold, 2)} on 1..5 have no winner: ${pairs.undecided} are left out.`,
    );
  if (pairs?.minConfidence.value != null)
    sentences.push(
      `Pairs are right significantly more often than not from a confidence of ${figure(pairs.minConfidence.value, 2)} on (n = ${pairs.minConfidence.n}).`,
    );
  if (bias && bias.flipped > 0)
    sentences.push(`The order of the question decides ${percent(bias.flipped)} of ${bias.pairs} pairs.`);
  return sentences.join(" ");
}
