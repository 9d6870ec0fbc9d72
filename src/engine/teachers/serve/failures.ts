import type { Failure } from "../../../protocol/jobs.ts";
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
    return {
      code: "environment",
      message: `The system killed the teacher's server while it loaded ${end.model}, most likely for want of main memory.`,
      remedy: `Free some memory, or choose a smaller or quantised model. Its log: ${end.log}`,
      file: end.log,
    };
  }
  const last = lastTellingLine(end.lines);
  return {
    code: "failed",
    message: `The teacher's server ${howItEnded(end)} before it was ready${last ? `: ${last}` : ""}.`,
    remedy: `See its log: ${end.log}`,
    file: end.log,
  };
}

function failureOf(end: ServerEnd, { code, message, remedy }: Recogniser, found: string): Failure {
  return {
    code,
    message: message(end, found),
    remedy: `${remedy(found)} Its log: ${end.log}`,
    file: end.log,
  };
}

function howItEnded({ signal, exitCode }: ServerEnd): string {
  return signal ? `was ended by ${signal}` : `ended with exit code ${exitCode}`;
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
  return { ...failureOf(end, recogniser, ""), remedy: recogniser.remedy("") };
}

export const stopped: Failure = {
  code: "failed",
  message: "The teacher's server was stopped by `leaf servers stop`.",
  remedy: "Run the command again, which starts it again: finished work is kept.",
};

export function missingProgram(program: string): Failure {
  return {
    code: "environment",
    message: `There is no program ${program} to start the teacher's server with.`,
    remedy: /(^|[\\/])vllm$/.test(program)
      ? "Install vLLM (`pip install vllm`) and have it on the PATH, or name it with its folder in `serve.command`."
      : "Correct `serve.command`: a program on the PATH, or one with its folder.",
  };
}

export function notReadyInTime(end: ServerEnd, startMinutes: number, note: string | null): Failure {
  const within = startMinutes === 1 ? "1 minute" : `${startMinutes} minutes`;
  return {
    code: "failed",
    message: `The teacher's server was not ready within ${within}${note ? ` (last: ${note})` : ""}.`,
    remedy: `Raise \`serve.startMinutes\` if it only needs longer, such as for a first download. Its log: ${end.log}`,
    file: end.log,
  };
}

export function endedAgainAndAgain(end: ServerEnd, times: number): Failure {
  const known = find(end.lines);
  const why = known ? known.recogniser.message(end, known.found) : `Last it ${howItEnded(end)}.`;
  return {
    code: "failed",
    message: `The teacher's server ended ${times} times while it was in use. ${why}`,
    remedy: known ? `${known.recogniser.remedy(known.found)} Its log: ${end.log}` : `See its log: ${end.log}`,
    file: end.log,
  };
}
