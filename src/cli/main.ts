import { Command, CommanderError } from "commander";
import { LeafError } from "../engine/errors.ts";
import { version } from "../engine/version.ts";
import { addDataCommands } from "./commands/data.ts";
import { addExperimentCommand } from "./commands/experiment.ts";
import { addExplainCommands } from "./commands/explain.ts";
import { addJobCommand } from "./commands/job.ts";
import { addLabelCommand } from "./commands/label.ts";
import { addLabelsCommands } from "./commands/labels.ts";
import { addProjectCommands } from "./commands/project.ts";
import { addReliabilityCommand } from "./commands/reliability.ts";
import { addSelectCommand } from "./commands/select.ts";
import { addServersCommand } from "./commands/servers.ts";
import { addStageCommands } from "./commands/stages.ts";
import { runner } from "./run.ts";
import { terminalText } from "./terminalText.ts";

const exitCodes = { usage: 2, config: 2, input: 1, environment: 1, failed: 1, cancelled: 130 } as const;

const controller = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    controller.abort();
    // Everything stops within a second; what does not is left behind here.
    setTimeout(() => process.exit(130), 1500).unref();
  });
}
// A reader that goes away (`leaf score … | head`) is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const program = new Command("leaf")
  .description("Label-efficient image quality assessment: label, distill, calibrate, evaluate, score.")
  .version(version)
  .option("-c, --config <file>", "the config (default: leaf.yaml in this folder)")
  .option("--json", "print one JSON document on stdout")
  .option("--verbose", "show stack traces of errors")
  .configureHelp({ showGlobalOptions: true })
  .configureOutput({
    writeOut: (text) => process.stdout.write(terminalText(text)),
    writeErr: (text) => process.stderr.write(terminalText(text)),
  })
  .exitOverride();

const run = runner(controller.signal);
addProjectCommands(program, run);
addLabelCommand(program, run);
addStageCommands(program, run);
addLabelsCommands(program, run);
addDataCommands(program, run);
addSelectCommand(program, run);
addReliabilityCommand(program, run);
addServersCommand(program, run, controller.signal);
addExplainCommands(program, run);
addExperimentCommand(program, run);
addJobCommand(program, controller.signal);
for (const command of program.commands.flatMap((command) => [command, ...command.commands])) {
  command.exitOverride();
  // The same options after the command's name, which is where people write them.
  command
    .option("-c, --config <file>", "the config (default: leaf.yaml in this folder)")
    .option("--json", "print one JSON document on stdout")
    .option("--verbose", "show stack traces of errors");
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function say(text: string): void {
  process.stderr.write(terminalText(text));
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const verbose = process.argv.includes("--verbose");
  const tty = process.stderr.isTTY ? "\n" : "";
  if (!(error instanceof LeafError)) {
    const message = error instanceof Error ? error.message : String(error);
    say(`${tty}leaf: unexpected error: ${message.split("\n")[0]}\n`);
    if (verbose && error instanceof Error) say(`${error.stack}\n`);
    else say("  Run again with --verbose for the stack trace, and please report it.\n");
    return 1;
  }
  say(`${tty}leaf: ${error.message}\n`);
  if (error.remedy) say(`  ${error.remedy}\n`);
  if (verbose) say(`${error.stack}\n`);
  return exitCodes[error.code];
}
