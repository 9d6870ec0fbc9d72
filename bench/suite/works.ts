import { commandLine } from "./commandLine.ts";
import { labelling } from "./labelling.ts";
import { scoring } from "./scoring.ts";
import type { Work } from "./work.ts";

/** All works of `npm run bench`, by a short name. */
export const works: ReadonlyMap<string, readonly Work[]> = new Map([
  ["command-line", commandLine],
  ["scoring", scoring],
  ["labelling", labelling],
]);
