import type { CodeLens } from "vscode-languageserver/node";
import type { ListedExperiment } from "../../../engine/experiments/list.ts";
import { commandIds } from "../../../protocol/commands.ts";
import type { JobSnapshot } from "../../../protocol/jobs.ts";
import { count } from "../../../words/figure.ts";
import { progressLine } from "../../../words/progress.ts";
import { t } from "../../locale.ts";
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
  const table = updated === null ? [] : [lens(t("Show table"), commandIds.showExperiment, config.uri)];
  if (job?.state === "running" && job.experiment === config.uri) {
    const overall = job.progress?.overall;
    const far = overall ? `${t("{0} of {1} done", count(overall.done), count(overall.total))} · ` : "";
    return [
      lens(
        `$(debug-stop) ${t("Stop")} · ${far}${progressLine(t, job.progress)}`,
        commandIds.stop,
        job.config,
      ),
      ...table,
    ];
  }
  if (invalid !== null) return [lens(`$(warning) ${invalid}`, ""), ...table];
  const broken = failed > 0 ? `, ${t("{0} failed", count(failed))}` : "";
  const far = `${t("{0} of {1} done", count(done), count(total))}${broken}${stale ? `, ${t("the file has changed")}` : ""}`;
  if (job?.state === "running") return [lens(`${t("another job is running")} · ${far}`, ""), ...table];
  const run = lens(`$(play) ${t("Run experiment")} · ${far}`, commandIds.runExperiment, config.uri);
  return done === total ? [lens(`$(check) ${far}`, ""), ...table, run] : [run, ...table];
}
