import type { FailureSummary } from "../protocol/failures.ts";
import { openCatalog } from "./catalog.ts";
import { dataErrors } from "./dataErrors.ts";
import { type ImageIndex, type Place, placeKinds } from "./dataset.ts";
import { failuresIn } from "./failures/list.ts";
import { describeReading } from "./mos/describe.ts";
import { failuresDir, type Project } from "./project.ts";
import type { StageOptions } from "./stages/stage.ts";

export interface CheckResult {
  images: number;
  withMos: number;
  splits: { train: number; val: number; test: number };
  duplicates: number;
  unreadable: number;
  /** How the MOS file is read, how images are grouped and where the split is from: a sentence each. */
  reading: string[];
  problems: string[];
  /** Those that no run gets over: with any, `leaf check` fails. */
  errors: string[];
  /** Every file and row that is of no use; absent where there is none. */
  failures?: FailureSummary;
  /** Every folder that cannot be read, name that is not UTF-8, and link that is not followed or leads out of the project. */
  places: Place[];
}

/** Links told one by one; how many more there are is told too. */
const toldLinks = 10;

/** Reads everything that a run would read, and changes nothing but the index. */
export async function checkProject(
  project: Project,
  options: Pick<StageOptions, "signal" | "onProgress">,
): Promise<CheckResult> {
  const { signal, onProgress } = options;
  const list = failuresIn(failuresDir(project, "check"));
  const catalog = await openCatalog(project, { signal, onProgress, onFailure: list.add });
  try {
    const failures = await list.finish();
    const errors = dataErrors(project, catalog).map(({ path, message }) => `${path.join(".")}: ${message}`);
    const problems = [...errors, ...catalog.problems];
    if (catalog.summary.duplicates > 0)
      problems.push(`${catalog.summary.duplicates} files are copies of others and count once`);
    problems.push(...linkProblems(catalog.index, catalog.summary.places ?? {}));
    for (const { path, note } of catalog.index.notes()) {
      if (problems.length >= 100) break;
      problems.push(`${path}: ${note}`);
    }
    return {
      images: catalog.hashes.length,
      withMos: catalog.mos.size,
      splits: catalog.counts,
      duplicates: catalog.summary.duplicates,
      unreadable: catalog.summary.failed,
      reading: describeReading(project.config, catalog),
      problems,
      errors,
      ...(failures && { failures }),
      places: [...catalog.index.places(...placeKinds)],
    };
  } finally {
    catalog.close();
  }
}

function linkProblems(index: ImageIndex, counts: { link?: number; outside?: number }): string[] {
  return (["link", "outside"] as const).flatMap((kind) => {
    const lines: string[] = [];
    for (const { path, reason } of index.places(kind)) {
      if (lines.length === toldLinks) break;
      lines.push(`${path}: ${reason}`);
    }
    const more = (counts[kind] ?? 0) - lines.length;
    const what =
      kind === "link" ? "links that are not followed" : "links that lead out of the project's folder";
    return more > 0 ? [...lines, `… and ${more} more ${what}`] : lines;
  });
}
