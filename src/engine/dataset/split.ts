import path from "node:path";
import { inEnglish, say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { seededOrder } from "../base/seededRank.ts";
import { quotedCell } from "../tables/cellText.ts";
import { groupMatcher } from "./groups.ts";
import { type RowProblemKind, readImageTable } from "./imageTable.ts";
import { foldedNames } from "./index/names.ts";
import type { ImageIndex } from "./index/query.ts";
import { type JoinedGroups, joinTwins } from "./twins/groups.ts";
import type { Twins } from "./twins/twins.ts";

export type SplitName = "train" | "val" | "test";

/** The config's `split`, with `file` as a path that can be opened. */
export interface SplitSource {
  test: number;
  val: number;
  seed: number;
  groupBy: string | { pattern: string } | null;
  file?: string;
  image?: string;
  column?: string;
}

export interface Split {
  /** By image hash: every usable image of the index. */
  of: Map<string, SplitName>;
  /** By image hash: its group; an image without one is its own. */
  groupOf: ReadonlyMap<string, string>;
  counts: Record<SplitName, number>;
  /** Groups drawn from or checked; images without a group count one each. */
  groups: number;
  /** Images whose name or row gives no group: each is a group of its own. */
  ungrouped: number;
  /** What twins were kept together; absent where none were looked for. */
  twins?: Pick<JoinedGroups, "families" | "tooLarge">;
  /** Images that a split file does not name: they go with their group, else to train. */
  unlisted: number;
  /** Rows of a split file that match no image; at most 100. */
  problems: { kind: RowProblemKind; line: number; message: string }[];
}

export interface SplitOptions {
  /** Values of the `groupBy` column by image hash, as `readMos` gives them. */
  columns?: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Images that are one picture: a drawn split keeps them together. */
  twins?: readonly Twins[];
  signal?: AbortSignal;
}

/**
 * Gives every image of the index its split, drawn or read from a file, such that no group is in two. Throws a LeafError
 * `config` if the file has other values than train, val, test, contradicts itself, or tears a group apart.
 */
export async function splitImages(
  index: ImageIndex,
  source: SplitSource,
  options: SplitOptions = {},
): Promise<Split> {
  const listed =
    source.file === undefined ? undefined : await readSplitFile(source.file, source, index, options);
  const grouped = groupImages(index, source.groupBy, options, listed?.groups);
  // What a file says of a split stands: twins in two of them are told by `leaf check`.
  const twins = listed || !options.twins ? undefined : joinTwins(grouped.groupOf, options.twins);
  const { ungrouped } = grouped;
  const groupOf = twins?.groupOf ?? grouped.groupOf;
  throwIfCancelled(options.signal);
  const sizes = sizesOf(groupOf);
  const of = listed ? completeSplit(groupOf, listed, source.file!) : drawSplit(groupOf, source, sizes);
  const counts = { train: 0, val: 0, test: 0 };
  for (const name of of.values()) counts[name] += 1;
  return {
    of,
    groupOf,
    counts,
    groups: sizes.size,
    ungrouped,
    ...(twins && { twins: { families: twins.families, tooLarge: twins.tooLarge } }),
    unlisted: listed ? of.size - listed.of.size : 0,
    problems: listed?.problems ?? [],
  };
}

/**
 * Draws a split. Groups are ranked by a hash of seed and group alone and fill test, then val, then train in that order; a
 * group that would overshoot its split by more than half its size goes on to the next. So the shares are exact where groups
 * are single images, the order of the images does not matter, and a new image moves only groups next to a border: a plain
 * threshold on the hash would move none, but for some hundred images it misses the shares by several percent. Each split with
 * a share gets at least one group if there are enough.
 */
export function drawSplit(
  groupOf: ReadonlyMap<string, string>,
  { test, val, seed }: Pick<SplitSource, "test" | "val" | "seed">,
  sizes: ReadonlyMap<string, number> = sizesOf(groupOf),
): Map<string, SplitName> {
  const ranked = seededOrder(seed, "split", sizes.keys()).map((group) => ({
    group,
    size: sizes.get(group)!,
  }));

  const total = groupOf.size;
  const targets: [SplitName, number][] = [
    ["test", Math.round(test * total)],
    ["val", Math.round(val * total)],
  ];
  const filled: Record<SplitName, number> = { train: 0, val: 0, test: 0 };
  const splitOf = new Map<string, SplitName>();
  for (const { group, size } of ranked) {
    const name = targets.find(([split, target]) => filled[split] + size / 2 <= target)?.[0] ?? "train";
    splitOf.set(group, name);
    filled[name] += size;
  }
  // Tiny sets, or few large groups: an empty split takes the smallest group that another can spare.
  const groupsIn = (split: SplitName) => ranked.filter(({ group }) => splitOf.get(group) === split);
  const wanted: [SplitName, boolean][] = [
    ["train", true],
    ["test", test > 0],
    ["val", val > 0],
  ];
  for (const [split, share] of wanted) {
    if (!share || filled[split] > 0) continue;
    const donor = (["train", "test", "val"] as const).find((other) => groupsIn(other).length > 1);
    if (!donor) continue;
    const smallest = groupsIn(donor).reduce((best, next) => (next.size < best.size ? next : best));
    splitOf.set(smallest.group, split);
    filled[split] += smallest.size;
  }
  return new Map([...groupOf].map(([hash, group]) => [hash, splitOf.get(group)!]));
}

/** Images of each group. */
function sizesOf(groupOf: ReadonlyMap<string, string>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const group of groupOf.values()) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return sizes;
}

/** The name that the config or a table gives a group of `groupOf`; undefined for an image that is its own. */
export function groupName(group: string | undefined): string | undefined {
  return group?.startsWith("group ") ? group.slice("group ".length) : undefined;
}

/** The group of every usable image; one without a group is its own. */
function groupImages(
  index: ImageIndex,
  groupBy: SplitSource["groupBy"],
  { columns }: SplitOptions,
  fromFile?: ReadonlyMap<string, string>,
): { groupOf: Map<string, string>; ungrouped: number } {
  const groupOf = new Map<string, string>();
  let ungrouped = 0;
  const set = (hash: string, group: string | undefined) => {
    // Prefixes keep a group's name from being taken for an image's hash.
    if (group) groupOf.set(hash, `group ${group}`);
    else {
      groupOf.set(hash, `image ${hash}`);
      if (groupBy !== null) ungrouped += 1;
    }
  };
  if (groupBy !== null && typeof groupBy === "object") {
    const match = groupMatcher(groupBy.pattern);
    let hashes: string[] = [];
    let paths: string[] = [];
    const flush = () => {
      for (const [i, group] of match(paths).entries()) set(hashes[i]!, group);
      hashes = [];
      paths = [];
    };
    for (const [hash, path] of index.names()) {
      hashes.push(hash);
      paths.push(path);
      if (paths.length === 1000) flush();
    }
    flush();
  } else {
    const groupIn = (hash: string) =>
      groupBy === null ? undefined : fromFile?.get(hash) || columns?.get(hash)?.[groupBy];
    // A reference image has no row, but its distorted versions name it.
    const references = new Map<string, string>();
    if (groupBy !== null)
      for (const [hash] of index.names()) {
        const group = groupIn(hash);
        if (group) references.set(foldedNames(group).stem, group);
      }
    for (const [hash, path] of index.names())
      set(hash, groupIn(hash) || (references.size > 0 ? references.get(foldedNames(path).stem) : undefined));
  }
  return { groupOf, ungrouped };
}

interface ListedSplit {
  of: Map<string, SplitName>;
  /** Values of the `groupBy` column, if the split file has it. */
  groups: Map<string, string>;
  problems: Split["problems"];
}

const splitNames: Record<string, SplitName> = {
  train: "train",
  training: "train",
  val: "val",
  valid: "val",
  validation: "val",
  test: "test",
  testing: "test",
};

async function readSplitFile(
  file: string,
  { image = "image", column = "split", groupBy }: SplitSource,
  index: ImageIndex,
  { columns, signal }: SplitOptions,
): Promise<ListedSplit> {
  const base = path.basename(file);
  const listed: ListedSplit = { of: new Map(), groups: new Map(), problems: [] };
  // The group column may be in the MOS file or in this one; the MOS file is asked first.
  const groupColumn = typeof groupBy === "string" && columns === undefined ? groupBy : undefined;
  const rows: { line: number; name: string; hash: string; text: string }[] = [];
  await readImageTable({
    file,
    image,
    columns: groupColumn === undefined ? [column] : [column, groupColumn],
    index,
    signal,
    onProblem(kind, line, message) {
      if (listed.problems.length < 100) listed.problems.push({ kind, line, message: inEnglish(message) });
    },
    onRow({ line, name, hash, values }) {
      rows.push({ line, name, hash, text: values[column] ?? "" });
      const group = groupColumn === undefined ? undefined : values[groupColumn];
      if (group) listed.groups.set(hash, group);
    },
  });
  const codes = splitCodes(rows.map(({ text }) => text));
  for (const { line, name, hash, text } of rows) {
    const word = text.toLowerCase();
    const split = Object.hasOwn(splitNames, word) ? splitNames[word] : codes?.[Number(text)];
    if (split === undefined) {
      throw new LeafError("config", say`${base}:${line}: ${quotedCell(text)} is not a split.`, {
        file,
        line,
        remedy: say`Write train, val or test.`,
      });
    }
    const before = listed.of.get(hash);
    if (before !== undefined && before !== split) {
      throw new LeafError(
        "config",
        say`${base}:${line}: ${quotedCell(name)} is in ${before} already, not in ${split}.`,
        {
          file,
          line,
          remedy: say`Keep one of the two rows; copies of one image count as one image.`,
        },
      );
    }
    listed.of.set(hash, split);
  }
  return listed;
}

/** The numbers 0, 1 and 2, where all three are there and nothing else: then they are train, val and test. */
function splitCodes(texts: readonly string[]): SplitName[] | undefined {
  const found = new Set(texts);
  return found.size === 3 && ["0", "1", "2"].every((code) => found.has(code))
    ? ["train", "val", "test"]
    : undefined;
}

/** Checks that the listed splits keep groups whole, and places the images that the file does not name. */
function completeSplit(
  groupOf: ReadonlyMap<string, string>,
  listed: ListedSplit,
  file: string,
): Map<string, SplitName> {
  const splitOf = new Map<string, SplitName>();
  for (const [hash, split] of listed.of) {
    const group = groupOf.get(hash);
    if (group === undefined) continue;
    const before = splitOf.get(group);
    if (before !== undefined && before !== split) {
      const name = group.replace(/^(group|image) /, "");
      throw new LeafError(
        "config",
        say`${path.basename(file)} puts images of the group "${name}" in ${before} and in ${split}.`,
        { file, remedy: say`Keep each group in one split, or change \`split.groupBy\`.` },
      );
    }
    splitOf.set(group, split);
  }
  return new Map([...groupOf].map(([hash, group]) => [hash, splitOf.get(group) ?? "train"]));
}
