import path from "node:path";
import type { ExperimentResult } from "../../protocol/experiments.ts";
import type { Project } from "../config/project.ts";
import type { ReportTable } from "../report/data.ts";
import { listExperiments } from "./list.ts";
import { readResultFile } from "./result.ts";
import { tableOf } from "./table.ts";

/** The tables of a config's experiments for its report; not of those whose file has changed since. */
export async function experimentTables({ root, configFile }: Project): Promise<ReportTable[]> {
  const base = path.basename(configFile);
  const tables: ReportTable[] = [];
  for (const one of await listExperiments(root)) {
    if (one.base !== base || one.stale || one.done === 0) continue;
    const result = await readResultFile(root, one.name);
    if (result) tables.push(reportTable(result));
  }
  return tables;
}

export function reportTable(result: ExperimentResult): ReportTable {
  const { header, rows, notes } = tableOf(result);
  return {
    title: `Experiment: ${result.name}`,
    header,
    rows: rows.map(({ cells }) => cells),
    note: notes.join(" "),
  };
}
