import type { Command } from "commander";
import { failureOf } from "../../engine/base/unexpected.ts";
import { appendEvent } from "../../engine/jobs/files.ts";
import { workOnJob } from "../../engine/jobs/work.ts";
import { say } from "../../words/text.ts";

/** What the language server starts for each job; not for people, who have `leaf run` and its like. */
export function addJobCommand(program: Command, signal: AbortSignal): void {
  program
    .command("job", { hidden: true })
    .argument("<folder>", "folder of the job under .leaf/jobs")
    .action(async (folder: string) => {
      // Before the process ends by it: a job that dies must not end without a word.
      const lastWord = (error: unknown) => {
        const failure = failureOf(error, { doing: say`the job was at work` });
        appendEvent(folder, { at: Date.now(), type: "end", state: "failed", failure });
      };
      process.prependListener("uncaughtException", lastWord);
      process.prependListener("unhandledRejection", lastWord);
      process.exitCode = await workOnJob(folder, signal);
    });
}
