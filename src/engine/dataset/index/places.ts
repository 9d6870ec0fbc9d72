import { inEnglish, marked, say } from "../../../words/text.ts";
import { errnoCode } from "../../base/errors.ts";

export const placeKinds = ["unreadable", "name", "link", "outside"] as const;
export type PlaceKind = (typeof placeKinds)[number];

/** Something among the images that is no image file and that a person should know of. */
export interface Place {
  /** Relative to the config's folder, with forward slashes. */
  path: string;
  /**
   * `unreadable`: a folder that cannot be looked into; `name`: a name that is not UTF-8, so that nothing can be opened by it;
   * `link`: a link that is not followed; `outside`: one that leads out of the folders that the config names, and is followed.
   */
  kind: PlaceKind;
  /** Completes "photos/a: …". */
  reason: string;
}

/** Why a file or folder cannot be read, where that is a fact about it alone; undefined for what is wrong with the machine. */
export function readFailure(error: unknown): string | undefined {
  const code = errnoCode(error);
  if (code === undefined || ["EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EDQUOT"].includes(code))
    return undefined;
  if (code === "EACCES" || code === "EPERM") return marked("permission to read it is denied");
  if (code === "EIO") return marked("the disk reports an error");
  if (code === "ELOOP") return marked("its links lead in a circle");
  if (code === "ENAMETOOLONG") return marked("its path is too long");
  return inEnglish(say`the system cannot read it (${code})`);
}

/** A name that is not UTF-8 as far as it can be shown: `caf\xe9.jpg`. */
export function shownName(name: Buffer): string {
  let shown = "";
  for (let at = 0; at < name.length; ) {
    const length = [1, 2, 3, 4].find((n) => {
      const text = name.subarray(at, at + n);
      return text.length === n && !text.toString("utf8").includes("\ufffd");
    });
    shown += length
      ? name.subarray(at, at + length).toString("utf8")
      : `\\x${name[at]!.toString(16).padStart(2, "0")}`;
    at += length ?? 1;
  }
  return shown;
}
