import type { LogOutputChannel } from "vscode";

/** Whether a line of the protocol's trace is about a secret. */
export function mentionsSecret(line: string): boolean {
  return line.includes("leaf/secrets") || line.includes("teacherKey");
}

/** The same channel, but for messages that carry a secret: at the most verbose trace they would be written out. */
export function redacted(channel: LogOutputChannel): LogOutputChannel {
  const trace = (line: string, ...rest: unknown[]) =>
    mentionsSecret(line)
      ? channel.trace("A message with a secret is not shown.")
      : channel.trace(line, ...rest);
  return new Proxy(channel, {
    get(target, name) {
      if (name === "trace") return trace;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
