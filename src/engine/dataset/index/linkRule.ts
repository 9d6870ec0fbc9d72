import { realpath } from "node:fs/promises";
import path from "node:path";
import { inEnglish, marked, say } from "../../../words/text.ts";
import { isMissing } from "../../base/files.ts";
import { type ImagePatterns, isAtOrIn } from "./patterns.ts";

/** How a folder was come to: the trees that it lies in, the innermost last, and where the links to them lie. */
export interface Trail {
  trees: readonly Tree[];
  /** Real paths of the folders with the links that were followed. */
  sites: readonly string[];
}

interface Tree {
  /** As the index names it. */
  path: string;
  real: string;
}

/** What to do about a link: `follow` a folder along its trail, or not, for a reason that a person can understand. */
export type LinkChoice = { follow: Trail; outside?: string } | { reason: string };

/**
 * Which links to folders are followed. It is decided by the link alone, so that a whole search and a look at a few files agree.
 * Not followed are links that lead back to a folder above them, links to a folder whose images are found there anyway, and
 * links behind four others: so every search ends.
 */
export interface LinkRule {
  /** The trail of a folder where the search begins. */
  start(folder: string): Promise<Trail>;
  choose(trail: Trail, folder: string, link: string): Promise<LinkChoice>;
  /** Where a link to a file leads, if that is out of the folders that the config names. */
  outsideOf(link: string): Promise<string | undefined>;
}

const mostLinks = 4;

export function linkRule(patterns: ImagePatterns): LinkRule {
  let named: Promise<Tree[]> | undefined;
  /** The bases; the project's folder is known too, but its images are not looked for unless a base says so. */
  const bases = () => {
    named ??= Promise.all(patterns.bases.map(treeOf)).then((trees) =>
      trees.filter((one) => one !== undefined),
    );
    return named;
  };
  let home: Promise<string> | undefined;
  const isOutside = async (real: string) => {
    home ??= realpath(patterns.root).catch(() => patterns.root);
    return !isAtOrIn(real, await home) && !(await bases()).some((base) => isAtOrIn(real, base.real));
  };

  return {
    async start(folder) {
      const tree = await treeOf(folder);
      return { trees: [tree ?? { path: folder, real: folder }], sites: [] };
    },

    async choose(trail, folder, link) {
      let real: string;
      try {
        real = await realpath(link);
      } catch (error) {
        return {
          reason: isMissing(error)
            ? marked("the link leads to nothing")
            : marked("the link cannot be followed"),
        };
      }
      const tree = trail.trees.at(-1)!;
      const site = path.join(tree.real, path.relative(tree.path, folder));
      if ([...trail.sites, site].some((one) => isAtOrIn(one, real)))
        return { reason: marked("the link leads back to a folder above it, and is not followed") };
      const { below } = patterns.rulesOf(link);
      for (const one of [...trail.trees, ...(await bases())]) {
        if (!isAtOrIn(real, one.real)) continue;
        const there = path.join(one.path, path.relative(one.real, real));
        const rulesThere = patterns.rulesOf(there).below;
        if (below.every((rule) => rule.everywhere && rulesThere.includes(rule)))
          return { reason: inEnglish(say`its images are found in ${shown(patterns.root, there)} already`) };
      }
      if (trail.sites.length >= mostLinks)
        return { reason: inEnglish(say`it lies behind ${mostLinks} other links, and is not followed`) };
      return {
        follow: { trees: [...trail.trees, { path: link, real }], sites: [...trail.sites, site] },
        ...((await isOutside(real)) ? { outside: real } : {}),
      };
    },

    async outsideOf(link) {
      const real = await realpath(link);
      return (await isOutside(real)) ? real : undefined;
    },
  };
}

async function treeOf(folder: string): Promise<Tree | undefined> {
  const real = await realpath(folder).catch(() => undefined);
  return real === undefined ? undefined : { path: folder, real };
}

function shown(root: string, folder: string): string {
  return path.relative(root, folder).split(path.sep).join("/") || "the folder itself";
}
