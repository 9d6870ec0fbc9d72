import path from "node:path";
import { Command } from "commander";
import { LeafError } from "../engine/base/errors.ts";
import { knowSecrets, secretsOf } from "../engine/base/redact.ts";
import { explained } from "../engine/base/unexpected.ts";
import { version } from "../engine/base/version.ts";
import { say } from "../words/text.ts";
import { description, groupsFor } from "./commands.ts";
import { exitCodes } from "./exitCodes.ts";
import { redactOutput } from "./output.ts";
import { reportError } from "./report.ts";
import { runner } from "./run.ts";
import { stopping } from "./stopping.ts";
import { terminalText } from "./terminalText.ts";

// Short values of variables are more often words than secrets.
knowSecrets(secretsOf(process.env).filter((value) => value.length >= 8));
redactOutput();
// Windows would look for a program in the current folder first, which may be a stranger's.
if (process.platform === "win32") process.env.NoDefaultCurrentDirectoryInExePath = "1";

const controller = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    const within = controller.signal.aborted ? 1500 : stopping.withinMs;
    controller.abort();
    // Everything stops within a second, or as it asked for; what does not is left behind here. Who asks twice does not wait.
    setTimeout(() => {
      void report(new LeafError("cancelled", say`Cancelled.`)).finally(() =>
        process.exit(exitCodes.cancelled),
      );
    }, within).unref();
  });
}
// A reader that goes away (`leaf score … | head`) is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(
    `leaf: ${explained(error, { doing: say`the result was written`, file: "stdout" }).message}\n`,
  );
  process.exit(1);
});
process.stderr.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
for (const event of ["uncaughtException", "unhandledRejection"] as const)
  process.on(event, (error: unknown) => {
    void report(error)
      .catch(() => {})
      .finally(() => process.exit(1));
  });

const program = new Command("leaf")
  .description(description)
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
for (const group of groupsFor(process.argv.slice(2))) (await group.load())(program, run, controller.signal);
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
  process.exitCode = await report(error);
}

async function report(error: unknown): Promise<number> {
  const argv = process.argv.slice(2);
  const { config } = program.opts<{ config?: string }>();
  const root = config ? path.dirname(path.resolve(config)) : process.cwd();
  return reportError(
    error,
    { argv, root, terminal: process.stderr.isTTY },
    {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(terminalText(text)),
    },
  );
}
