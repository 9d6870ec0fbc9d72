import { Command } from "commander";
import { version } from "../engine/base/version.ts";
import { completionScript, isShell } from "./completion.ts";
import { readDescribed, restore } from "./described.ts";

/** Answers `--version`, `--help` and `completion <shell>`; false for all else, and where the build has described no commands. */
export async function answerQuickly(argv: readonly string[]): Promise<boolean> {
  const [word = "", shell] = argv;
  if (argv.length === 1 && ["--version", "-V"].includes(word)) return print(version);
  const asked = argv.length === 1 && ["--help", "-h", "help"].includes(word) ? "help" : word;
  if (asked !== "help" && asked !== "completion") return false;
  const described = readDescribed();
  if (!described) return false;
  if (asked === "help") return print(restore(new Command("leaf"), described).helpInformation().trimEnd());
  return argv.length === 2 && isShell(shell) ? print(completionScript(shell, described)) : false;
}

function print(text: string): true {
  process.stdout.write(`${text}\n`);
  return true;
}
