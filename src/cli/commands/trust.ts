import type { Command } from "commander";
import { allConsentItems, forget, isApproved, remember } from "../../engine/consent/needed.ts";
import { openExperiment } from "../../engine/experiments/file.ts";
import { trialsOf } from "../../engine/experiments/trial.ts";
import { ask, itemText } from "../consent.ts";
import { findProject } from "../context.ts";
import type { Run } from "../run.ts";
import { named } from "./experiment.ts";

interface Options {
  yes?: boolean;
  list?: boolean;
  forget?: boolean;
}

export function addTrustCommand(program: Command, run: Run): void {
  program
    .command("trust")
    .description("show what the config would run, or send a key to, and approve it on this computer")
    .argument("[experiment]", "NAME.experiment.yaml: also what its rows name")
    .option("--yes", "approve without asking")
    .option("--list", "only show it")
    .option("--forget", "take the approval back")
    .action((experiment: string | undefined, options: Options, command) =>
      run(async (context) => {
        const items = experiment
          ? allConsentItems(
              trialsOf(await openExperiment(named(experiment))).map(({ project }) => project),
              "experiment",
            )
          : allConsentItems([await findProject(context)], "run");
        if (options.forget) {
          const forgotten = await forget(items);
          context.print(
            { forgotten },
            `Took ${forgotten} ${forgotten === 1 ? "approval" : "approvals"} back.`,
          );
          return;
        }
        const open = items.filter((item) => !isApproved(item));
        if (options.yes) await remember(open, "allow");
        else if (!options.list && open.length > 0) await ask(context, open);
        const told = items.map((item) => ({ ...item, approved: isApproved(item) }));
        const lines = told.map(
          (item) => `${itemText(item)}\n    ${item.approved ? "approved" : "not approved"}`,
        );
        context.print(
          { items: told },
          lines.length > 0 ? lines.join("\n") : "The config names nothing that needs your approval.",
        );
      })(command),
    );
}
