import { closeSync, existsSync, openSync, renameSync, writeSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { redactor } from "../../base/redact.ts";

export { secretsOf } from "../../base/redact.ts";

const keptLines = 1_000;
const longestLine = 4_000;
const defaultMaxBytes = 4_000_000;

export interface ServerLog {
  write(chunk: Buffer): void;
  /** The last 1,000 lines, oldest first. */
  lines(): readonly string[];
  close(): void;
}

export interface ServerLogOptions {
  /** Words that must not get there. */
  secrets: readonly string[];
  onLine?(line: string): void;
  maxBytes?: number;
}

/**
 * Writes what a server says to a file, line by line, without its secrets. A file that has grown to `maxBytes` is renamed to
 * `<file>.1`, over the one before it, so that no more than twice that is kept. Progress bars' lines end with a carriage return.
 */
export function openServerLog(file: string, options: ServerLogOptions): ServerLog {
  const { secrets, onLine, maxBytes = defaultMaxBytes } = options;
  if (existsSync(file)) renameSync(file, `${file}.1`);
  let fd = openSync(file, "w");
  let [written, pending] = [0, ""];
  const longestSecret = Math.min(longestLine, Math.max(0, ...secrets.map((secret) => secret.length)));
  const clean = redactor(secrets);
  const decoder = new StringDecoder("utf8");
  const kept: string[] = [];

  function put(raw: string): void {
    const line = clean(raw.trimEnd()).slice(0, longestLine);
    if (line === "") return;
    kept.push(line);
    if (kept.length > keptLines) kept.shift();
    const bytes = Buffer.from(`${line}\n`);
    if (written > 0 && written + bytes.length > maxBytes) {
      closeSync(fd);
      renameSync(file, `${file}.1`);
      fd = openSync(file, "w");
      written = 0;
    }
    try {
      writeSync(fd, bytes);
      written += bytes.length;
    } catch {
      // A full disk must not end the server.
    }
    onLine?.(line);
  }

  return {
    write(chunk) {
      const parts = (pending + decoder.write(chunk)).split(/[\r\n]+/);
      pending = parts.pop()!;
      for (const part of parts) put(part);
      if (pending.length > longestLine) {
        // What may be the beginning of a secret waits for its end.
        const cut = pending.length - longestSecret;
        put(pending.slice(0, cut));
        pending = pending.slice(cut);
      }
    },
    lines: () => kept,
    close() {
      put(pending + decoder.end());
      pending = "";
      closeSync(fd);
    },
  };
}
