import type { Connection, WorkDoneProgressServerReporter } from "vscode-languageserver/node";
import type { JobSnapshot, TimedProgress } from "../protocol/jobs.ts";

const everyMs = 250;

/** Shows jobs as the editor's own progress (window/workDoneProgress), with a cancel button. */
export function workDone(connection: Connection) {
  const shown = new Map<string, { reporter: Promise<WorkDoneProgressServerReporter>; at: number }>();
  return {
    show(job: JobSnapshot, cancel: () => void): void {
      const known = shown.get(job.id);
      if (job.state !== "running") {
        shown.delete(job.id);
        void known?.reporter.then((reporter) => reporter.done());
        return;
      }
      if (!known) {
        const reporter = connection.window.createWorkDoneProgress().then((one) => {
          one.begin(`LEAF ${job.kind}`, 0, "starting", true);
          one.token.onCancellationRequested(cancel);
          return one;
        });
        reporter.catch(() => {}); // The client has no such progress.
        shown.set(job.id, { reporter, at: Number.NEGATIVE_INFINITY });
        return;
      }
      if (!job.progress || performance.now() - known.at < everyMs) return;
      known.at = performance.now();
      const { progress } = job;
      void known.reporter
        .then((reporter) => reporter.report(percent(progress), words(progress)))
        .catch(() => {});
    },
  };
}

function percent({ done, total }: TimedProgress): number {
  return total ? Math.min(100, Math.round((100 * done) / total)) : 0;
}

/** "label: points · 120/4000 images · 35/s · 2 min left". */
export function words(progress: TimedProgress): string {
  const { stage, step, done, total, unit, rate, secondsLeft, detail } = progress;
  const parts = [`${stage}: ${step}`, total === undefined ? `${done} ${unit}` : `${done}/${total} ${unit}`];
  if (rate) parts.push(`${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`);
  if (secondsLeft !== null)
    parts.push(
      `${secondsLeft < 90 ? `${Math.ceil(secondsLeft)} s` : `${Math.round(secondsLeft / 60)} min`} left`,
    );
  if (detail) parts.push(detail);
  return parts.join(" · ");
}
