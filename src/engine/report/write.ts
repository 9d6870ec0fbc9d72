import { checkOutputs, writeOutput } from "../base/outputs.ts";
import { redact } from "../base/redact.ts";
import { type Project, projectOf } from "../config/project.ts";
import { outputRules } from "../pipeline/projectInputs.ts";
import type { StageOptions } from "../pipeline/stage.ts";
import { collectReport, reportedRun } from "./collect.ts";
import type { Finding, ReportTable } from "./data.ts";
import { evaluationFindings } from "./findings.ts";
import { reportPage } from "./page.ts";
import { reliabilityTables } from "./reliabilityTables.ts";

export interface ReportOptions extends StageOptions {
  /** Id of a run; by default the newest of this config. */
  run?: string;
  /** Over a file that LEAF did not write. */
  force?: boolean;
  /** Beside what the evaluation found, and the teacher's reliability. */
  findings?: Finding[];
  tables?: ReportTable[];
}

/** Writes the report of a run as one HTML file. Throws LeafErrors `input` (no such run), `usage` (a file not to write over), `failed`. */
export async function writeReport(
  project: Project,
  file: string,
  { run: id, force, findings = [], tables = [], ...options }: ReportOptions = {},
): Promise<{ run: string; file: string }> {
  const rules = await outputRules(project, { force });
  await checkOutputs([file], rules);
  const run = await reportedRun(project, id);
  const data = await collectReport(project, run, options);
  const ofRun = projectOf(project.configFile, data.config);
  const page = reportPage({
    ...data,
    findings: [...evaluationFindings(data.evaluation), ...findings],
    tables: [...(await reliabilityTables(ofRun, options)), ...tables],
  });
  await writeOutput(file, redact(page), rules);
  return { run: run.id, file };
}
