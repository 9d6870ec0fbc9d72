import type { CodeLens } from "vscode-languageserver/node";
import type { ListedExperiment } from "../../../engine/experiments/list.ts";
import { commandIds } from "../../../protocol/commands.ts";
import type { JobSnapshot } from "../../../protocol/jobs.ts";
import { count } from "../../../words/figure.ts";
import { progressLine } from "../../../words/progress.ts";
import { english } from "../../../words/translate.ts";
import type { ConfigDocument } from "../configDocument.ts";

/** Over an experiment: run it or stop it, how far it is, and its table. */
export function experimentLenses(
  config: ConfigDocument,
  status: ListedExperiment,
  job: JobSnapshot | null,
): CodeLens[] {
  const range = config.range(0, 0);
  const lens = (title: string, command: string, ...args: unknown[]): CodeLens => ({
    range,
    command: { title, command, arguments: args },
  });
  const { done, failed, total, stale, updated, invalid } = status;
  const table = updated === null ? [] : [lens("Show table", commandIds.showExperiment, config.uri)];
  if (job?.state === "running" && job.experiment === config.uri) {
    const overall = job.progress?.overall;
    const far = overall ? `${count(overall.done)} of ${count(overall.total)} done · ` : "";
    return [
      lens(`$(debug-stop) Stop · ${far}${progressLine(english, job.progress)}`, commandIds.stop, job.config),
      ...table,
    ];
  }
  if (invalid !== null) return [lens(`$(warning) ${invalid}`, ""), ...table];
  const broken = failed > 0 ? `, ${count(failed)} failed` : "";
  const far = `${count(done)} of ${count(total)} done${broken}${stale ? ", the file has changed" : ""}`;
  if (job?.state === "running") return [lens(`another job is running · ${far}`, ""), ...table];
  const run = lens(`$(play) Run experiment · ${far}`, commandIds.runExperiment, config.uri);
  return done === total ? [lens(`$(check) ${far}`, ""), ...table, run] : [run, ...table];
}
