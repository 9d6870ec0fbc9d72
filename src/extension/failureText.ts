import { type CommandId, commandIds } from "../protocol/commands.ts";
import type { Failure } from "../protocol/jobs.ts";
import type { Translate } from "../words/translate.ts";

/** What a button of a failure's message does. */
export type FailureAction =
  | { title: string; command: CommandId }
  | { title: string; file: string; line: number; column: number };

export interface FailureMessage {
  text: string;
  actions: FailureAction[];
}

/** A failure as the one sentence and the buttons of a notification; null for what nobody needs to be told. */
export function failureMessage(failure: Failure, t: Translate): FailureMessage | null {
  if (failure.code === "cancelled") return null;
  // The buttons say it better than the command line's words.
  const remedy = failure.code === "environment" ? undefined : failure.remedy;
  const named = commandNamed(remedy, t);
  const told = named ? remedy?.replace(named.text, `“${named.title}”`) : remedy;
  const text = [failure.message, told?.replaceAll("`", "")].filter(Boolean).map(asSentence).join(" ");
  const actions = actionsFor(failure, t);
  return { text, actions: named ? [{ title: named.title, command: named.command }, ...actions] : actions };
}

/** The command of ours that does what a remedy names as one of the command line's. */
function commandNamed(remedy: string | undefined, t: Translate) {
  const known: Record<string, [CommandId, string]> = {
    run: [commandIds.run, t("Run Pipeline")],
    label: [commandIds.label, t("Label with Teacher")],
    distill: [commandIds.distill, t("Distill Student")],
    calibrate: [commandIds.calibrate, t("Calibrate Student")],
    evaluate: [commandIds.evaluate, t("Evaluate Student")],
    env: [commandIds.setUpEnvironment, t("Set Up Training Environment")],
    init: [commandIds.newConfig, t("New Config")],
  };
  const found = /`leaf (\w+)[^`]*`/.exec(remedy ?? "");
  const command = known[found?.[1] ?? ""];
  return found && command ? { text: found[0], command: command[0], title: command[1] } : null;
}

function actionsFor(failure: Failure, t: Translate): FailureAction[] {
  if (failure.code === "environment") {
    return [
      { title: t("Set Up Training Environment"), command: commandIds.setUpEnvironment },
      { title: t("Select Python Interpreter"), command: commandIds.selectInterpreter },
    ];
  }
  if (failure.code === "config" && failure.file) {
    const { file, line = 1, column = 1 } = failure;
    return [{ title: t("Open {0}", file.split(/[\\/]/).at(-1) ?? file), file, line, column }];
  }
  return failure.code === "input" || failure.code === "usage" || failure.code === "consent"
    ? []
    : [{ title: t("Show Log"), command: commandIds.showLog }];
}

function asSentence(text: string | undefined): string {
  return text && !/[.!?…]$/.test(text) ? `${text}.` : (text ?? "");
}

/** The failure that a response error carries, or one made of whatever else was thrown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Error && "data" in error && isFailure(error.data)) return error.data;
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}

function isFailure(value: unknown): value is Failure {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}
