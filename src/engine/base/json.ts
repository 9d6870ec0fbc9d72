import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import type { z } from "zod";
import { tellDamagedFile } from "./damage.ts";
import { errnoCode, explainFileSystemError } from "./errors.ts";

/** No document of LEAF comes near it. */
const mostBytes = 64 * 1024 * 1024;
/** Deeper ones would overflow the stack of whoever walks them. */
const mostDepth = 64;

export interface JsonLimits {
  maxBytes?: number;
}

/** What a text holds, or what is wrong with it in a few words. */
export type Read<T> = { ok: true; value: T } | { ok: false; why: string };

/**
 * The one door for JSON that lies on a disk: `.leaf/` may come from anybody. Undefined where there is no such file, and where it
 * does not fit the schema: then it is told by name with what is wrong, and counts as damaged, so that what it stood for is made
 * again. Throws LeafError `failed` where the disk or the permissions fail.
 */
export async function readJsonAs<T>(
  file: string,
  schema: z.ZodType<T>,
  limits: JsonLimits = {},
): Promise<T | undefined> {
  try {
    const handle = await open(file, readFlags);
    try {
      const refused = refusedBy(await handle.stat(), limits);
      if (refused) return damaged(file, refused);
      return accepted(file, parseAs(await handle.readFile("utf8"), schema));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return absentOr(error, file);
  }
}

/** The same at once, for what must be known before anything else happens. */
export function readJsonNow<T>(file: string, schema: z.ZodType<T>, limits: JsonLimits = {}): T | undefined {
  try {
    const opened = openSync(file, readFlags);
    try {
      const info = fstatSync(opened);
      const refused = refusedBy(info, limits);
      if (refused) return damaged(file, refused);
      const bytes = Buffer.alloc(info.size);
      let length = 0;
      while (length < bytes.length) {
        const more = readSync(opened, bytes, length, bytes.length - length, length);
        if (more === 0) break;
        length += more;
      }
      return accepted(file, parseAs(bytes.toString("utf8", 0, length), schema));
    } finally {
      closeSync(opened);
    }
  } catch (error) {
    return absentOr(error, file);
  }
}

/** A text as JSON of a schema: for lines of a protocol, and values inside a database. Never throws. */
export function parseAs<T>(text: string, schema: z.ZodType<T>): Read<T> {
  if (depthOf(text) > mostDepth) return { ok: false, why: "it is nested too deeply" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, why: "it is not JSON" };
  }
  const result = schema.safeParse(value);
  return result.success ? { ok: true, value: result.data } : { ok: false, why: firstIssue(result.error) };
}

/** "`stages.label.key`: must be hex digits": the first thing that is wrong. */
export function firstIssue({ issues }: z.ZodError): string {
  const [first] = issues;
  if (!first) return "it does not fit";
  const at = first.path.map(String).join(".").slice(0, 80);
  const message = first.message
    .split("\n")[0]!
    .slice(0, 120)
    .replace(/[.:]\s*$/, "");
  return at ? `\`${at}\`: ${message}` : message;
}

/** A pipe or a device would never end; it is opened without waiting for a writer, and refused. */
const readFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function refusedBy(info: { isFile(): boolean; size: number }, { maxBytes = mostBytes }: JsonLimits) {
  if (!info.isFile()) return "it is not a file";
  return info.size > maxBytes ? `it has more than ${maxBytes} bytes` : undefined;
}

function accepted<T>(file: string, read: Read<T>): T | undefined {
  return read.ok ? read.value : damaged(file, read.why);
}

function damaged(file: string, why: string): undefined {
  tellDamagedFile(file, why);
  return undefined;
}

function absentOr(error: unknown, file: string): undefined {
  const code = errnoCode(error) ?? "";
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  // A chain of links without an end, a name that cannot be, a socket.
  if (["ELOOP", "ENAMETOOLONG", "ENXIO", "EISDIR"].includes(code)) return damaged(file, "it is not a file");
  throw explainFileSystemError(error, "read", file);
}

function depthOf(text: string): number {
  let [depth, deepest, inText] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inText) {
      if (code === 92) at++;
      else if (code === 34) inText = false;
    } else if (code === 34) inText = true;
    else if (code === 91 || code === 123) deepest = Math.max(deepest, ++depth);
    else if (code === 93 || code === 125) depth--;
  }
  return deepest;
}
