import type { Text } from "../protocol/text.ts";
import { asTemplate, quoted } from "./text.ts";

/** What databases and lists keep in English, where a sentence has places. The sources say the same: a test compares them. */
export const keptSentences = [
  "its 16-bit values end at {0}: they are read as {1} bits",
  "named {0}, is {1}",
  "it cannot be looked at: {0}",
  "it lies behind {0} other links, and is not followed",
  "it lies more than {0} folders deep",
  "its images are found in {0} already",
  "TIFF of {0}-bit {1} is not supported; save it with 8 or 16 bits",
  "TIFF with {0} channels of {1} is not supported; save it with 8 or 16 bits",
  "the TIFF's values go from {0} to {1}, a range that is not known; save it with 8 or 16 bits",
  "the folder cannot be read: {0}",
  "the link cannot be followed: {0}",
  "the link leads out of the project's folder, to {0}; its images are used",
  "the link leads out of the project's folder, to {0}; the image is used",
  "the system cannot read it ({0})",
  // The longer one first: the shorter would take its end for a place.
  "the {0} data is truncated or corrupt ({1})",
  "the {0} data is truncated",
  // Of rows; the longer one first, too.
  "No image is called {0}; the nearest name is {1}.",
  "No image is called {0}.",
  "The image {0} cannot be read: {1}.",
  "The score {0} is not a number.",
  "The score {0} is outside the range {1} to {2}.",
  "{0} has a list of scores already; others are not used.",
  "{0} has the score {1} already; {2} is not used.",
  "{0} has votes already; others are not used.",
  "{0} has no rating.",
  "{0} has no score.",
  "{0} has no votes.",
  "{0} is no number of votes.",
  "{0} may be the image of this name or {1}.",
];

let patterns: [template: string, pattern: RegExp][] | undefined;

/** A sentence that was kept in English, as data again; one that is not known is its own template. */
export function kept(sentence: string): Text {
  patterns ??= keptSentences.map((template) => [template, patternOf(template)]);
  for (const [template, pattern] of patterns) {
    const places = pattern.exec(sentence);
    // A reason may stand in a place.
    if (places) return { template, values: places.slice(1).map(kept) };
  }
  return /\{\d+\}/.test(sentence) ? quoted(sentence) : asTemplate(sentence);
}

function patternOf(template: string): RegExp {
  const parts = template.split(/\{\d+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("(.+)")}$`, "s");
}
