import { l10n, ProgressLocation, window } from "vscode";
import type { JobSnapshot } from "../../protocol/jobs.ts";
import { progressLine } from "../../words/progress.ts";
import { workTitle } from "../../words/titles.ts";
import { tellingFailures } from "../failures.ts";
import type { Leaf } from "../leaf.ts";

/** Shows a job as a notification until it ends; its Cancel stops the job. */
export function showJobNotification(
  { client, state }: Pick<Leaf, "client" | "state">,
  job: JobSnapshot,
): void {
  const { config, id } = job;
  void window.withProgress(
    { location: ProgressLocation.Notification, title: workTitle(l10n.t, job.kind), cancellable: true },
    (progress, token) =>
      new Promise<void>((resolve) => {
        let seen = false;
        const finish = () => {
          for (const one of subscriptions) one.dispose();
          resolve();
        };
        const subscriptions = [
          state.onChanged(() => {
            const now = state.project(config)?.job;
            const ours = now?.id === id;
            seen ||= ours;
            // Until the start has been told, what is known is the job before.
            if (!seen) return;
            if (!ours || now.state !== "running") {
              finish();
              return;
            }
            // No bar: it can only grow, and a job is several steps whose lengths nobody knows before.
            progress.report({ message: progressLine(l10n.t, now.progress) });
          }),
          // A server that died takes its notifications with it; the views show the job once it is back.
          client.onBroken((broken) => broken && finish()),
          token.onCancellationRequested(() => {
            void tellingFailures(() => client.request("leaf/stop", { config }));
          }),
        ];
      }),
  );
}
