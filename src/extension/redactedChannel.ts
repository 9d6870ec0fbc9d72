import type { LogOutputChannel } from "vscode";
import { redact } from "../engine/base/redact.ts";

/** Whether a line of the protocol's trace is about a secret. */
export function mentionsSecret(line: string): boolean {
  return line.includes("leaf/secrets") || line.includes("teacherKeys");
}

const writers = new Set<string | symbol>([
  "append",
  "appendLine",
  "replace",
  "trace",
  "debug",
  "info",
  "warn",
  "error",
]);

/** The same channel without secrets; messages that carry one (at the most verbose trace) are not written at all. */
export function redacted(channel: LogOutputChannel): LogOutputChannel {
  const clean = (line: unknown) =>
    typeof line === "string"
      ? redact(line)
      : line instanceof Error
        ? redact(line.stack ?? line.message)
        : line;
  return new Proxy(channel, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (!writers.has(name)) return value.bind(target);
      return (line: unknown, ...rest: unknown[]) =>
        typeof line === "string" && mentionsSecret(line)
          ? value.call(target, "A message with a secret is not shown.")
          : value.call(target, clean(line), ...rest.map(clean));
    },
  });
}
