import { readFileSync } from "node:fs";
import { Argument, type Command, Option } from "commander";

/** What people see of a command: help and completion are made from it, without loading what the commands do. */
export interface Described {
  name: string;
  description: string;
  arguments: { term: string; description: string; choices?: string[] }[];
  options: { flags: string; description: string; choices?: string[] }[];
  commands: Described[];
}

export function describeCommand(command: Command): Described {
  const help = command.createHelp();
  return {
    name: command.name(),
    description: command.description(),
    arguments: command.registeredArguments.map((one) => {
      const name = one.name() + (one.variadic ? "..." : "");
      const term = one.required ? `<${name}>` : `[${name}]`;
      return { term, description: one.description, ...(one.argChoices && { choices: one.argChoices }) };
    }),
    options: command.options
      .filter(({ hidden }) => !hidden)
      .map(({ flags, description, argChoices }) => ({
        flags,
        description,
        ...(argChoices && { choices: argChoices }),
      })),
    commands: help
      .visibleCommands(command)
      .filter((one) => one.name() !== "help")
      .map(describeCommand),
  };
}

/** The commands of a build (`scripts/build.js` writes the file), or undefined where there is none. */
export function readDescribed(): Described | undefined {
  try {
    return JSON.parse(readFileSync(new URL("commands.json", import.meta.url), "utf8")) as Described;
  } catch {
    return undefined;
  }
}

/** Gives a command what was described: it can tell its help, and does nothing. */
export function restore(command: Command, described: Described): Command {
  command.description(described.description);
  for (const { term, description, choices } of described.arguments) {
    const argument = new Argument(term, description);
    command.addArgument(choices ? argument.choices(choices) : argument);
  }
  for (const { flags, description, choices } of described.options) {
    const option = new Option(flags, description);
    command.addOption(choices ? option.choices(choices) : option);
  }
  for (const one of described.commands) restore(command.command(one.name), one);
  return command;
}
