import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import type { Project } from "../config/project.ts";
import type { Catalog } from "./catalog.ts";

/** What is so wrong with the data that a run cannot end well; `path`: the key of the config that it is about. */
export interface DataError {
  path: string[];
  message: Text;
  code: "noImages" | "mosRows" | "noCalibrationImages";
}

/** The same for `leaf check`, which fails on them, and for the Problems of the editor. */
export function dataErrors({ config }: Pick<Project, "config">, catalog: Catalog): DataError[] {
  const { summary, mos, mosProblemCount } = catalog;
  const errors: DataError[] = [];
  if (summary.images === 0)
    errors.push({
      path: ["images"],
      message:
        summary.files === 0 ? say`There is no image in here.` : say`None of these files is a usable image.`,
      code: "noImages",
    });
  if (config.mos && mos.size === 0 && mosProblemCount > 0)
    errors.push({ path: ["mos", "file"], message: uselessRows(config.mos.file, catalog), code: "mosRows" });
  if (config.mos && mos.size > 0) {
    const rated = ratedIn(catalog, "train");
    const { ratio } = config.calibrate;
    if (ratio === 0 || rated < 2)
      errors.push({
        path: ["calibrate", "ratio"],
        message: say`${ratio} leaves ${rated < 2 ? Math.round(ratio * rated) : 0} of ${rated} rated training images to calibrate with; at least 2 are needed.`,
        code: "noCalibrationImages",
      });
  }
  return errors;
}

export function ratedIn(catalog: Catalog, split: "train" | "val" | "test"): number {
  let rated = 0;
  for (const hash of catalog.mos.keys()) if (catalog.splitOf(hash) === split) rated++;
  return rated;
}

/** How many rows of the scores are of no use, and the first of them. */
export function uselessRows(
  file: string,
  { mos, mosProblems, mosProblemCount, firstMosProblem }: Catalog,
): Text {
  const first = mosProblems[0];
  return first
    ? say`${mosProblemCount} rows of ${file} cannot be used, ${mos.size} are. First: line ${first.line}: ${firstMosProblem ?? first.message}`
    : say`${mosProblemCount} rows of ${file} cannot be used, ${mos.size} are.`;
}
