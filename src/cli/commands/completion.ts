import { Argument, type Command } from "commander";
import { completionScript, type Shell, shells } from "../completion.ts";
import { describeCommand } from "../described.ts";
import type { Run } from "../run.ts";

export function addCompletionCommand(program: Command, run: Run): void {
  program
    .command("completion")
    .description("print a script with which a shell completes commands and options")
    .addArgument(new Argument("<shell>", "which shell").choices(shells))
    .addHelpText("after", () => `\n${howTo}`)
    .action((shell: Shell, _options, command) =>
      run(async (context) => {
        const script = completionScript(shell, describeCommand(program));
        context.print({ shell, script }, script);
      })(command),
    );
  // For scripts/build.js: what `leaf --help` tells without loading the commands.
  program.command("describe", { hidden: true }).action(() => {
    process.stdout.write(`${JSON.stringify(describeCommand(program))}\n`);
  });
}

const howTo = `Put this where your shell starts:
  bash        source <(leaf completion bash)           in ~/.bashrc
  zsh         source <(leaf completion zsh)            in ~/.zshrc, after compinit
  fish        leaf completion fish | source            in ~/.config/fish/config.fish
  powershell  leaf completion powershell | Out-String | Invoke-Expression    in $PROFILE`;
