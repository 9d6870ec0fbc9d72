import path from "node:path";
import { withoutImageExtension } from "./index/names.ts";

/** One way to read a name. `upload`: Label Studio has changed the file's name as it stored it, see `uploadedName`. */
export interface NameReading {
  name: string;
  upload?: true;
}

/**
 * What a table may mean by an image's name, the surest first; what stands in one list is as sure as the others in it. It may be a path of
 * any system, a list of one (as Python prints it), percent-encoded, an address (`https://…?query`, `s3://…`, `file://…`), or a name of Label
 * Studio: `/data/upload/<project>/<8 digits>-<name>`, `/data/local-files/?d=<path>`, `…/resolve/?fileuri=<base64>`.
 */
export function readingsOf(name: string): NameReading[][] {
  const lists: NameReading[][] = [[{ name: posix(name) }]];
  const add = (...names: (string | undefined)[]) => {
    const fresh = names.filter(
      (one): one is string => !!one && !lists.flat().some((had) => had.name === one),
    );
    if (fresh.length > 0) lists.push(fresh.map((one) => ({ name: one })));
  };
  const listed = /^\[\s*(['"])([^'"]+)\1\s*\]$/.exec(name)?.[2];
  const meant = listed ?? name;
  if (listed !== undefined) add(posix(listed));
  const [, scheme, address] = /^([a-z][a-z\d+.-]*):\/\/(.*)$/i.exec(meant) ?? [];
  const isAddress =
    scheme !== undefined || /^\/?data\/(upload|local-files)\//.test(meant) || /\/resolve\/\?/.test(meant);
  const [, beforeQuery = "", query = ""] = /^([^?#]*)(\?[^#]*)?/.exec(address ?? meant) ?? [];
  if (isAddress) {
    for (const inside of namesIn(query)) {
      const rest = /^[a-z][a-z\d+.-]*:\/\/(.*)$/i.exec(inside)?.[1];
      add(posix(rest ?? inside));
    }
    const whole = posix(address ?? meant);
    add(whole, decoded(whole));
    add(posix(beforeQuery), decoded(posix(beforeQuery)));
  } else {
    add(decoded(posix(meant)));
    const short = posix(beforeQuery);
    if (query !== "" && withoutImageExtension(short) !== short) add(short, decoded(short));
  }
  const uploads = lists.flat().flatMap((one) => {
    const [, stored] = /^[0-9a-f]{8}-(.+)$/s.exec(path.posix.basename(one.name)) ?? [];
    return stored === undefined ? [] : [{ name: stored, upload: true as const }];
  });
  if (uploads.length > 0) lists.push(uploads);
  return lists;
}

/** One name for all the ways to write an address; any other name as it is. */
export function nameOf(written: string): string {
  const lists = readingsOf(written);
  const isAddress = /^\[|^\/?data\/(upload|local-files)\/|:\/\/|\/resolve\/\?/.test(written);
  return (isAddress ? lists.at(-1)! : lists[0]!)[0]!.name;
}

/** Names that Label Studio keeps in the query of an address. */
function namesIn(query: string): string[] {
  const found: string[] = [];
  for (const part of query.replace(/^\?/, "").split("&")) {
    const [key, value = ""] = [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)];
    if (key === "d")
      found.push(decoded(value) ?? value, value, (decoded(value) ?? value).replaceAll("+", " "));
    if (key === "fileuri") found.push(Buffer.from(decoded(value) ?? value, "base64").toString());
  }
  return found.filter((one) => one !== "");
}

/** Undefined for what is not percent-encoded. */
function decoded(text: string): string | undefined {
  if (!text.includes("%")) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function posix(name: string): string {
  return path.posix.normalize(name.replaceAll("\\", "/"));
}

/**
 * The name under which Label Studio stores an uploaded file, without the digits before it: Django's `get_valid_filename`. Blanks become `_`;
 * all but letters, digits, `_`, `-` and `.` goes, so that several names become one.
 */
export function uploadedName(file: string): string {
  return path.posix
    .basename(file)
    .trim()
    .replaceAll(" ", "_")
    .replace(/[^-\p{L}\p{N}_.]/gu, "");
}

/** The same text in the two forms of Unicode that file systems use. */
export function unicodeForms(text: string): string[] {
  return [...new Set([text, text.normalize("NFC"), text.normalize("NFD")])];
}
