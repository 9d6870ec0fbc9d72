import type { Failure } from "../../../protocol/jobs.ts";
import type { Text } from "../../../protocol/text.ts";
import { inEnglish, say } from "../../../words/text.ts";
import { type FailureKind, type Recogniser, recognisers, type ServerEnd } from "./recognisers.ts";

export type { ServerEnd } from "./recognisers.ts";

/** What the log says went wrong: the first recogniser with a line to its liking decides. */
export function recognise(lines: readonly string[]): { kind: FailureKind; line: string } | undefined {
  const found = find(lines);
  return found && { kind: found.recogniser.kind, line: found.line };
}

function find(lines: readonly string[]) {
  for (const recogniser of recognisers) {
    for (const line of lines) {
      const match = recogniser.pattern.exec(line);
      if (match) return { recogniser, line, found: match.slice(1).find((group) => group) ?? "" };
    }
  }
  return undefined;
}

/** One sentence on why a server ended by itself before it was ready, and the way out. */
export function endedBeforeReady(end: ServerEnd): Failure {
  const known = find(end.lines);
  if (known) return failureOf(end, known.recogniser, known.found);
  // LEAF sends no SIGKILL to a server that it waits for. 137: the same, told by a shell or a container.
  if (end.signal === "SIGKILL" || end.exitCode === 137) {
    return told({
      code: "environment",
      message: say`The system killed the teacher's server while it loaded ${end.model}, most likely because main memory ran out.`,
      remedy: say`Free some memory, or choose a smaller or quantised model. Its log: ${end.log}`,
      file: end.log,
    });
  }
  const last = lastTellingLine(end.lines);
  return told({
    code: "failed",
    message: say`The teacher's server ${howItEnded(end)} before it was ready${last ? `: ${last}` : ""}.`,
    remedy: say`See its log: ${end.log}`,
    file: end.log,
  });
}

function failureOf(end: ServerEnd, { code, message, remedy }: Recogniser, found: string): Failure {
  return told({
    code,
    message: message(end, found),
    remedy: say`${remedy(found)} Its log: ${end.log}`,
    file: end.log,
  });
}

function howItEnded({ signal, exitCode }: ServerEnd): Text {
  return signal ? say`was ended by ${signal}` : say`ended with exit code ${exitCode ?? ""}`;
}

function told(error: { code: Failure["code"]; message: Text; remedy: Text; file?: string }): Failure {
  const { code, message, remedy, file } = error;
  return {
    code,
    message: inEnglish(message),
    remedy: inEnglish(remedy),
    file,
    words: { message, remedy },
  };
}

/** The last line that names an error, else the last one. */
function lastTellingLine(lines: readonly string[]): string | undefined {
  const said = lines.map((line) => line.replace(/\s+/g, " ").trim()).filter((line) => /\w/.test(line));
  const line = said.findLast((one) => /\b\w*(error|exception)\b/i.test(one)) ?? said.at(-1);
  return line?.slice(0, 200).replace(/\.$/, "");
}

/** Found before it was started. */
export function portTaken(end: ServerEnd): Failure {
  const recogniser = recognisers.find((one) => one.kind === "portTaken")!;
  return told({
    code: recogniser.code,
    message: recogniser.message(end, ""),
    remedy: recogniser.remedy(""),
    file: end.log,
  });
}

export const stopped: Failure = told({
  code: "failed",
  message: say`The teacher's server was stopped by \`leaf servers stop\`.`,
  remedy: say`Run the command again, which starts it again: finished work is kept.`,
});

export function missingProgram(program: string): Failure {
  return told({
    code: "environment",
    message: say`There is no program ${program} to start the teacher's server with.`,
    remedy: /(^|[\\/])vllm$/.test(program)
      ? say`Install vLLM (\`pip install vllm\`) and have it on the PATH, or name it with its folder in \`serve.command\`.`
      : say`Correct \`serve.command\`: a program on the PATH, or one with its folder.`,
  });
}

export function notReadyInTime(end: ServerEnd, startMinutes: number, note: string | null): Failure {
  const within = startMinutes === 1 ? say`1 minute` : say`${startMinutes} minutes`;
  return told({
    code: "failed",
    message: say`The teacher's server was not ready within ${within}${note ? say` (last: ${note})` : ""}.`,
    remedy: say`Raise \`serve.startMinutes\` if it only needs longer, such as for a first download. Its log: ${end.log}`,
    file: end.log,
  });
}

export function endedAgainAndAgain(end: ServerEnd, times: number): Failure {
  const known = find(end.lines);
  const why = known ? known.recogniser.message(end, known.found) : say`Last it ${howItEnded(end)}.`;
  return told({
    code: "failed",
    message: say`The teacher's server ended ${times} times while it was in use. ${why}`,
    remedy: known
      ? say`${known.recogniser.remedy(known.found)} Its log: ${end.log}`
      : say`See its log: ${end.log}`,
    file: end.log,
  });
}
