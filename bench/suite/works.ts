import { commandLine } from "./commandLine.ts";
import { images } from "./images.ts";
import { labels } from "./labels.ts";
import type { Work } from "./work.ts";

/** All works of `npm run bench`, by a short name. */
export const works: ReadonlyMap<string, readonly Work[]> = new Map([
  ["command-line", commandLine],
  ["images", images],
  ["labels", labels],
]);
