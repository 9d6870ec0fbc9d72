import path from "node:path";
import { closest, distance } from "fastest-levenshtein";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { quotedCell } from "./cellText.ts";

/** The place of a column. Throws a LeafError `config` for one that is missing, or there twice. */
export function findColumn(file: string, columns: readonly string[], wanted: string, line = 1): number {
  const at = columns.indexOf(wanted);
  const base = path.basename(file);
  if (at >= 0 && columns.indexOf(wanted, at + 1) >= 0)
    throw new LeafError("config", say`${base} has two columns ${quotedCell(wanted)}.`, { file, line });
  if (at >= 0) return at;
  const named = columns.filter((name) => name !== "");
  const shown = named.slice(0, 30).map(quotedCell);
  const nearest =
    named.length > 0
      ? closest(
          wanted.toLowerCase(),
          named.map((name) => name.toLowerCase()),
        )
      : undefined;
  const near = named.find((name) => name.toLowerCase() === nearest);
  const close =
    near !== undefined &&
    distance(wanted.toLowerCase(), near.toLowerCase()) <= Math.max(2, wanted.length / 3);
  throw new LeafError(
    "config",
    say`${base} has no column ${quotedCell(wanted)}; it has ${shown.join(", ")}${named.length > shown.length ? ", …" : ""}.`,
    {
      file,
      line,
      remedy: close ? say`Did you mean ${quotedCell(near!)}?` : say`Name one of these columns in the config.`,
    },
  );
}
