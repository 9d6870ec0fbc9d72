import type { Disposable } from "vscode";
import { showFailure } from "../failures.ts";
import type { Leaf } from "../leaf.ts";

/** Tells once of a job that failed, wherever it was started. Success is seen where the job was shown. */
export function tellJobFailures({ client }: Leaf): Disposable[] {
  const told = new Set<string>();
  return [
    client.on("leaf/jobEvents", ({ job, events }) => {
      // Only an end that comes in now: those of old jobs are told with the project's state.
      const end = events.findLast((event) => event.type === "end");
      if (end?.state !== "failed" || !end.failure || told.has(job.id)) return;
      told.add(job.id);
      void showFailure(end.failure);
    }),
  ];
}
