import path from "node:path";
import type { Command } from "commander";
import { failureCount } from "../../engine/failures/words.ts";
import { pipelineStatus } from "../../engine/pipeline/status.ts";
import type { FailureSummary } from "../../protocol/failures.ts";
import { english } from "../../words/translate.ts";
import { whyWords } from "../../words/why.ts";
import { findProject, stageOptions, table } from "../context.ts";
import { t } from "../locale.ts";
import type { Run } from "../run.ts";

export function addStatusCommand(program: Command, run: Run): void {
  program
    .command("status")
    .description("show which stages are fresh, stale or missing, and why")
    .action((_options, command) =>
      run(async (context) => {
        const status = await pipelineStatus(await findProject(context), stageOptions(context));
        for (const problem of status.problems) context.note(t("warning: {0}", problem));
        const stages = status.stages.map((one) => ({
          ...one,
          why: whyWords(english, one.reason) || undefined,
        }));
        const rows = stages.map(({ stage, state, reason, failures }) => [
          stage,
          t(state),
          [whyWords(t, reason), failures && `${failureCount(failures)}${placeOf(failures)}`]
            .filter(Boolean)
            .join("; "),
        ]);
        context.print({ ...status, stages }, table([t("stage"), t("state"), t("why")], rows));
      })(command),
    );
}

function placeOf({ file }: FailureSummary): string {
  return file ? ` (${path.relative(process.cwd(), file)})` : "";
}
