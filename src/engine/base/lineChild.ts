import { once } from "node:events";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { limits, megabytes } from "./limits.ts";
import { type Line, lineSplitter } from "./lines.ts";
import { type Child, type ChildExit, type StartOptions, startChild } from "./processes.ts";

export interface LineOptions<T> extends Omit<StartOptions, "stdin" | "channel"> {
  /** A line as a message of the protocol, checked; undefined for anything else that a library may have printed. */
  parse(line: string): T | undefined;
  onMessage(message: T): void;
  onOther?(line: string): void;
}

/** `fault`: it broke the protocol, and was ended for that. */
export type LineChildExit = ChildExit & { fault?: string };

/** A child that speaks in lines of JSON: it is told on its standard input, and tells on its standard output. */
export interface LineChild extends Omit<Child, "exit"> {
  /** Waits while the pipe is full, so that messages do not pile up in memory. To one that has ended it says nothing. */
  send(message: object): Promise<void>;
  exit: Promise<LineChildExit>;
}

export function startLineChild<T>(command: string, args: string[], options: LineOptions<T>): LineChild {
  const child = startChild(command, args, { ...options, stdin: "pipe" });
  const { stdin, stdout } = child.process;
  let fault: string | undefined;
  if (stdout)
    eachLine(stdout, {
      onLine(line) {
        const message = options.parse(line);
        if (message !== undefined) options.onMessage(message);
        else options.onOther?.(line);
      },
      onTooLong(start) {
        if (start !== "{") return;
        fault ??= `it wrote a line of more than ${megabytes(limits.jsonLine)}`;
        child.stop();
      },
    });
  return {
    ...child,
    exit: child.exit.then((exit) => ({ ...exit, fault })),
    async send(message) {
      if (!stdin || stdin.destroyed) return;
      if (stdin.write(`${JSON.stringify(message)}\n`)) return;
      await Promise.race([once(stdin, "drain").catch(() => {}), child.exit]);
    },
  };
}

/** Calls with every line of a stream; of one that is too long only its first letter is told. */
function eachLine(
  stream: Readable,
  { onLine, onTooLong }: { onLine(line: string): void; onTooLong(start: string | undefined): void },
): void {
  const decoder = new StringDecoder("utf8");
  const splitter = lineSplitter(limits.jsonLine);
  const tell = (lines: Line[]) => {
    for (const line of lines) "text" in line ? onLine(line.text) : onTooLong(line.tooLong);
  };
  stream.on("data", (chunk: Buffer) => tell(splitter.take(decoder.write(chunk))));
  stream.once("end", () => tell([...splitter.take(decoder.end()), ...splitter.end()]));
}
