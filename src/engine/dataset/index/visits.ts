import { inEnglish, say } from "../../../words/text.ts";
import type { Trail } from "./linkRule.ts";
import { linkRule } from "./linkRule.ts";
import type { ImagePatterns } from "./patterns.ts";
import type { Place } from "./places.ts";

/** A folder on a way through the images. */
export interface Visit {
  folder: string;
  /** undefined only on the way to a base: nothing here is the dataset's. */
  trail: Trail | undefined;
  /** How many folders below its base. */
  depth: number;
}

/** What comes of a folder that was met: the visit, if it is to be visited, and what a person should know of it. */
export interface NextVisit {
  visit?: Visit;
  place?: Pick<Place, "kind" | "reason">;
}

/** Decides which folders are visited: by whoever searches them and by whoever watches them, so that both see the same. */
export interface Visits {
  /** A visit to begin with: to a base, or to a folder above one. */
  begin(folder: string): Promise<Visit>;
  /** What comes of a folder, or a link to one, that lies in the visited one. */
  next(visit: Visit, folder: string, isLink: boolean): Promise<NextVisit>;
  outsideOf(link: string): Promise<string | undefined>;
}

/** More folders below each other are a mistake. */
const deepest = 100;

export function folderVisits(patterns: ImagePatterns): Visits {
  const links = linkRule(patterns);
  const begin = async (folder: string): Promise<Visit> => ({
    folder,
    trail: patterns.isBase(folder) ? await links.start(folder) : undefined,
    depth: 0,
  });
  return {
    begin,
    outsideOf: links.outsideOf,
    async next({ folder: parent, trail, depth }, folder, isLink) {
      const toBase = patterns.leadsToBase(folder);
      // What is named is visited, whatever leads to it.
      if (patterns.isBase(folder) && (isLink || !trail)) return { visit: await begin(folder) };
      if (!trail || patterns.rulesOf(folder).below.length === 0)
        return toBase ? { visit: { folder, trail: isLink ? undefined : trail, depth: depth + 1 } } : {};
      if (depth >= deepest)
        return {
          place: { kind: "unreadable", reason: inEnglish(say`it lies more than ${deepest} folders deep`) },
        };
      if (!isLink) return { visit: { folder, trail, depth: depth + 1 } };
      const choice = await links.choose(trail, parent, folder);
      if ("reason" in choice) {
        if (toBase) return { visit: { folder, trail: undefined, depth: depth + 1 } };
        return { place: { kind: "link", reason: choice.reason } };
      }
      const visit = { folder, trail: choice.follow, depth: depth + 1 };
      if (!choice.outside) return { visit };
      const reason = inEnglish(
        say`the link leads out of the project's folder, to ${choice.outside}; its images are used`,
      );
      return { visit, place: { kind: "outside", reason } };
    },
  };
}
