import { imageExtensions } from "../images/format.ts";

/** A text without names of columns, told by its first line. */
export interface Headless {
  columns: readonly string[];
  delimiter: string;
}

/** Lines that are a score, a blank and a file name, as in TID2013. */
export const scoreAndName = ["mos", "image"] as const;
const scoreAndNameLine = new RegExp(
  `^\\s*[+-]?\\d+(\\.\\d+)?[ \\t]+\\S+\\.(${imageExtensions.join("|")})\\s*$`,
  "i",
);

/** AVA.txt: a number, the image's, how often each of ten grades was given, two tags, and the challenge. */
export const avaColumns = [
  "index",
  "image_id",
  ...Array.from({ length: 10 }, (_, i) => `votes_${i + 1}`),
  "tag_1",
  "tag_2",
  "challenge",
] as const;
const avaLine = /^\s*\d+([ \t]+\d+){14}\s*$/;

/** A picture's name and its score, or the other way round, and no names of columns. */
const number = "[+-]?\\d+(?:[.,]\\d+)?";
const extension = `\\.(?:${imageExtensions.join("|")})`;
const picture = `(?:"[^"]+${extension}"|[^",;\\t]+${extension})`;
const nameAndScoreLine = new RegExp(`^\\s*${picture}\\s*([,;\\t ])\\s*${number}\\s*$`, "i");
const scoreThenNameLine = new RegExp(`^\\s*${number}\\s*([,;\\t])\\s*${picture}\\s*$`, "i");

export function headlessOf(line: string): Headless | undefined {
  const delimiter = line.includes("\t") ? "\t" : " ";
  if (scoreAndNameLine.test(line)) return { columns: scoreAndName, delimiter };
  if (avaLine.test(line)) return { columns: avaColumns, delimiter };
  const between = nameAndScoreLine.exec(line)?.[1];
  // Blanks may be of the name as well.
  if (between && (between !== " " || /^\S+\s+\S+$/.test(line.trim())))
    return { columns: ["image", "mos"], delimiter: between };
  const behind = scoreThenNameLine.exec(line)?.[1];
  if (behind) return { columns: scoreAndName, delimiter: behind };
  return undefined;
}
