import { statSync } from "node:fs";
import { LeafError } from "../engine/base/errors.ts";
import { probeInterpreter } from "../engine/python/environment.ts";

/**
 * Whether an interpreter has what the trainer needs. Asking runs it, so only one that the user has approved may be asked. It takes
 * seconds, since it imports torch: it is done once for each interpreter as it is, beside everything else, and `onChanged` says that
 * the answer has come.
 */
export interface InterpreterCheck {
  /** Why it cannot train; undefined for one that can, and as long as nothing is known. */
  problemOf(interpreter: string): string | undefined;
}

export function checkInterpreters(onChanged: () => void): InterpreterCheck {
  const answers = new Map<string, { problem?: string }>();
  return {
    problemOf(interpreter) {
      const key = `${interpreter} ${statSync(interpreter, { throwIfNoEntry: false })?.mtimeMs ?? ""}`;
      const known = answers.get(key);
      if (known) return known.problem;
      const answer: { problem?: string } = {};
      answers.set(key, answer);
      probeInterpreter(interpreter).catch((error) => {
        if (!(error instanceof LeafError)) return;
        answer.problem = error.message;
        onChanged();
      });
      return undefined;
    },
  };
}
