import type { Command } from "commander";
import { onDamagedFile } from "../engine/base/damage.ts";
import { explained } from "../engine/base/unexpected.ts";
import { say } from "../words/text.ts";
import { type CliContext, createContext, type GlobalOptions } from "./context.ts";
import { t } from "./locale.ts";

/** Wraps a command's work: it gets a context made from the options in force, wherever these stand on the line. */
export type Run = (work: (context: CliContext) => Promise<void>) => (command: Command) => Promise<void>;

export function runner(signal: AbortSignal): Run {
  return (work) => async (command) => {
    const context = createContext(command.optsWithGlobals<GlobalOptions>(), signal);
    const listening = onDamagedFile((sentence) => context.note(t("warning: {0}", sentence)));
    try {
      await work(context);
    } catch (error) {
      const at = context.lastStep();
      throw explained(error, {
        doing: at
          ? say`\`leaf ${command.name()}\` was at work on ${at.stage}: ${at.step}`
          : say`\`leaf ${command.name()}\` was at work`,
      });
    } finally {
      listening.dispose();
      context.endProgress();
    }
  };
}
