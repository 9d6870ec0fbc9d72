import type { Command } from "commander";
import { workOnJob } from "../../engine/jobs/work.ts";

/** What the language server starts for each job; not for people, who have `leaf run` and its like. */
export function addJobCommand(program: Command, signal: AbortSignal): void {
  program
    .command("job", { hidden: true })
    .argument("<folder>", "folder of the job under .leaf/jobs")
    .action(async (folder: string) => {
      process.exitCode = await workOnJob(folder, signal);
    });
}
