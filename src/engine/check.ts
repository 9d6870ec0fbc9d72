import { openCatalog } from "./catalog.ts";
import { describeReading } from "./mos/describe.ts";
import type { Project } from "./project.ts";
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
}

/** Reads everything that a run would read, and changes nothing but the index. */
export async function checkProject(
  project: Project,
  options: Pick<StageOptions, "signal" | "onProgress">,
): Promise<CheckResult> {
  const { signal, onProgress } = options;
  const catalog = await openCatalog(project, { signal, onProgress });
  try {
    const problems = [...catalog.problems];
    if (catalog.summary.duplicates > 0)
      problems.push(`${catalog.summary.duplicates} files are copies of others and count once`);
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
    };
  } finally {
    catalog.close();
  }
}
