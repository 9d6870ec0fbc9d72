import type { JobEvent } from "../../src/protocol/jobs.ts";
import { figure } from "../../src/words/figure.ts";
import { headline } from "../../src/words/headline.ts";
import { stepWords } from "../../src/words/progress.ts";
import { workTitle } from "../../src/words/titles.ts";
import type { Host } from "../host.ts";

export interface LogLine {
  at: number;
  level: "info" | "warning" | "error";
  text: string;
}

/** Lines that are kept: a tail, not an archive. */
export const logLength = 200;

/** Turns events into lines; a new step is a line, a step's progress is not. */
export function createLog(text: Host["text"]): { lines: LogLine[]; add(events: readonly JobEvent[]): void } {
  const log = {
    lines: [] as LogLine[],
    add(events: readonly JobEvent[]) {
      const added = events.flatMap((event) => {
        const line = lineOf(event);
        return line ? [{ at: event.at, ...line }] : [];
      });
      if (added.length > 0) log.lines = [...log.lines, ...added].slice(-logLength);
    },
  };
  let step = "";

  function lineOf(event: JobEvent): Omit<LogLine, "at"> | undefined {
    switch (event.type) {
      case "warning":
        return { level: "warning", text: event.message };
      case "progress": {
        const { progress } = event;
        const name = `${workTitle(text, progress.stage)}: ${stepWords(text, progress.step)}`;
        const kind = name.replace(/\d+/g, "");
        if (kind === step) return undefined;
        step = kind;
        return { level: "info", text: name };
      }
      case "trainer":
        return trainerLine(event);
      case "stage":
        return {
          level: "info",
          text: text(
            "{0}: done. {1}",
            workTitle(text, event.stage),
            headline(text, event.stage, event.result),
          ),
        };
      case "end":
        if (event.state === "failed")
          return { level: "error", text: event.failure?.message ?? text("Failed.") };
        if (event.failure) return { level: "warning", text: event.failure.message };
        return { level: "info", text: event.state === "done" ? text("Done.") : text("Stopped.") };
    }
  }

  function trainerLine({ stage, message }: JobEvent & { type: "trainer" }): Omit<LogLine, "at"> | undefined {
    const title = workTitle(text, stage);
    if (message.type === "hello") {
      const { deviceName, device, torch, python } = message;
      return {
        level: "info",
        text: `${title}: ${deviceName || device} · PyTorch ${torch} · Python ${python}`,
      };
    }
    if (message.type === "metrics" && message.val) {
      const { epoch, loss, val } = message;
      return {
        level: "info",
        text: text(
          "{0}: epoch {1}, loss {2}, validation SRCC {3}",
          title,
          epoch,
          figure(loss, 4),
          figure(val.srcc),
        ),
      };
    }
    if (message.type === "done") {
      return { level: "info", text: text("{0}: epoch {1} is kept.", title, message.bestEpoch) };
    }
    if (message.type === "error") return { level: "error", text: message.message };
    return undefined;
  }
  return log;
}
