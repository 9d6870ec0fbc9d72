import { commandLine } from "./commandLine.ts";
import { images } from "./images.ts";
import { labelling } from "./labelling.ts";
import { labels } from "./labels.ts";
import { scoring } from "./scoring.ts";
import { training } from "./training.ts";
import type { Work } from "./work.ts";

/** All works of `npm run bench`, by a short name. */
export const works: ReadonlyMap<string, readonly Work[]> = new Map([
  ["command-line", commandLine],
  ["training", training],
  ["scoring", scoring],
  ["images", images],
  ["labels", labels],
  ["labelling", labelling],
]);
