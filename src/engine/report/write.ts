import { writeFileAtomic } from "../files.ts";
import type { Project } from "../project.ts";
import type { StageOptions } from "../stages/stage.ts";
import { collectReport, reportedRun } from "./collect.ts";
import type { Finding, ReportTable } from "./data.ts";
import { reportPage } from "./page.ts";

export interface ReportOptions extends StageOptions {
  /** Id of a run; by default the newest of this config. */
  run?: string;
  findings?: Finding[];
  tables?: ReportTable[];
}

/** Writes the report of a run as one HTML file. Throws LeafErrors `input` (no such run), `failed` (the disk). */
export async function writeReport(
  project: Project,
  file: string,
  { run: id, findings, tables, ...options }: ReportOptions = {},
): Promise<{ run: string; file: string }> {
  const run = await reportedRun(project, id);
  const data = await collectReport(project, run, options);
  await writeFileAtomic(file, reportPage({ ...data, findings, tables }));
  return { run: run.id, file };
}
