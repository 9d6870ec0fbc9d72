import type { Command } from "commander";
import { onDamagedFile } from "../engine/base/damage.ts";
import { type CliContext, createContext, type GlobalOptions } from "./context.ts";

/** Wraps a command's work: it gets a context made from the options in force, wherever these stand on the line. */
export type Run = (work: (context: CliContext) => Promise<void>) => (command: Command) => Promise<void>;

export function runner(signal: AbortSignal): Run {
  return (work) => async (command) => {
    const context = createContext(command.optsWithGlobals<GlobalOptions>(), signal);
    const listening = onDamagedFile((sentence) => context.note(`warning: ${sentence}`));
    try {
      await work(context);
    } finally {
      listening.dispose();
    }
    context.endProgress();
  };
}
