import { commands, l10n, Position, Range, Uri, window } from "vscode";
import type { Failure } from "../protocol/jobs.ts";
import { type FailureAction, failureMessage, failureOf } from "./failureText.ts";

/** Tells what failed, in one sentence, with a button where a command helps. Cancelling is no failure. */
export async function showFailure(failure: Failure): Promise<void> {
  const message = failureMessage(failure, l10n.t);
  if (!message) return;
  const chosen = await window.showErrorMessage(message.text, ...message.actions);
  if (chosen) await follow(chosen);
}

/** Runs what a command does; tells the user why it could not. */
export async function tellingFailures<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    // Not awaited: the message stays until someone closes it, the command is over.
    void showFailure(failureOf(error));
    return undefined;
  }
}

async function follow(action: FailureAction): Promise<void> {
  if ("command" in action) {
    await commands.executeCommand(action.command);
    return;
  }
  const at = new Position(Math.max(0, action.line - 1), Math.max(0, action.column - 1));
  await window.showTextDocument(Uri.file(action.file), { selection: new Range(at, at) });
}
