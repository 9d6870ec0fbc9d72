import type { EvaluationFacts, Transfer } from "../../../protocol/results.ts";
import type { Project } from "../../config/project.ts";
import type { Catalog } from "../../dataset/catalog.ts";
import { maxPixelsOf } from "../../images/limits.ts";
import { studentToMos } from "../../mos/scale.ts";
import { type Student, scoreImages } from "../../student/student.ts";
import type { StageOptions } from "../stage.ts";

/** More images tell the error no better. */
const mostCalibrationImages = 200;

/** RMSE on the images that calibrated the student, in the unit of the MOS; null for a distilled one. */
export async function calibrationError(
  project: Project,
  catalog: Catalog,
  student: Student,
  hashes: readonly string[],
  { signal }: StageOptions,
): Promise<EvaluationFacts["calibration"]> {
  const items = hashes.slice(0, mostCalibrationImages).map((hash) => ({ hash, path: catalog.pathOf(hash) }));
  let [n, sum] = [0, 0];
  for await (const scored of scoreImages(student, items, {
    signal,
    maxPixels: maxPixelsOf(project.config),
  })) {
    if ("reason" in scored) continue;
    sum += (studentToMos(scored.score, project.config.mos!) - catalog.mos.get(scored.item.hash)!) ** 2;
    n++;
  }
  return n === 0 ? null : { n, rmse: Math.sqrt(sum / n) };
}

/** Standard deviation of all of them, not of a sample. */
export function sd(values: number[]): number {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  return Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / values.length);
}
/** The evaluated student on the other datasets. */
export function elsewhereOf(
  student: EvaluationFacts["student"],
  transfer?: Transfer,
): EvaluationFacts["elsewhere"] {
  const cells = transfer?.rows.find((row) => row.student === student)?.cells ?? [];
  return cells.flatMap((cell, i) =>
    cell ? [{ dataset: transfer!.datasets[i]!, n: cell.n, srcc: cell.srcc }] : [],
  );
}
