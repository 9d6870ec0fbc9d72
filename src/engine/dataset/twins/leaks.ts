import { figure } from "../../../words/figure.ts";
import type { Catalog } from "../catalog.ts";
import type { SplitName } from "../split.ts";
import type { Twins } from "./twins.ts";

/** A held-out image whose twin is in another split; paths as in the index. */
export interface Leak {
  image: string;
  split: SplitName;
  twin: string;
  twinSplit: SplitName;
  /** 0 to 1. */
  alike: number;
}

const rank: Record<SplitName, number> = { test: 0, val: 1, train: 2 };
const told = 10;

/** Each held-out image with the twin that is most alike, test before val. */
export function leaksOf(
  { splitOf, relativePathOf, keptTogether }: Pick<Catalog, "splitOf" | "relativePathOf" | "keptTogether">,
  twins: readonly Twins[],
): Leak[] {
  const leaks = new Map<string, Leak>();
  const ofAKind = new Set(keptTogether?.tooLarge.flat());
  for (const { a, b, alike } of twins) {
    const [held, other] = rank[splitOf(a)] < rank[splitOf(b)] ? [a, b] : [b, a];
    if (splitOf(held) === splitOf(other) || ofAKind.has(held)) continue;
    const before = leaks.get(held);
    // A twin in train is worse than one in val.
    if (before && (rank[before.twinSplit] - rank[splitOf(other)] || before.alike - alike) >= 0) continue;
    leaks.set(held, {
      image: relativePathOf(held),
      split: splitOf(held),
      twin: relativePathOf(other),
      twinSplit: splitOf(other),
      alike,
    });
  }
  return [...leaks.values()].sort(
    (x, y) => rank[x.split] - rank[y.split] || (x.image < y.image ? -1 : Number(x.image > y.image)),
  );
}

/** A sentence for each pair of splits, with some of the images. */
export function leakProblems(leaks: readonly Leak[]): string[] {
  return [...Map.groupBy(leaks, ({ split, twinSplit }) => `${split} ${twinSplit}`).values()].flatMap(
    (some) => {
      const { split, twinSplit } = some[0]!;
      const why =
        split === "test" ? "held-out figures come out too good" : "the best epoch is chosen too late";
      const n = some.length;
      const lines = some
        .slice(0, told)
        .map(
          ({ image, twin, alike }) =>
            `${image}: near duplicate of ${twin} (${twinSplit}), alike by ${figure(alike, 3)}`,
        );
      return [
        `${n} ${split} ${n === 1 ? "image is" : "images are"} the same picture as one in ${twinSplit}, saved, scaled, cut or converted again: ${why}; ` +
          "remove the copies, or keep them in one split (`split.similar`)",
        ...lines,
        ...(n > told ? [`… and ${n - told} more near duplicates of ${twinSplit} images in ${split}`] : []),
      ];
    },
  );
}

/** Images that look alike and are no copies. */
export function twinProblems({ keptTogether, hashes }: Pick<Catalog, "keptTogether" | "hashes">): string[] {
  return (keptTogether?.tooLarge ?? []).map(
    ({ length }) =>
      `${length} of ${hashes.length} images look alike, too many for versions of one picture: they are not kept in one split; group them by \`split.groupBy\` where they belong together`,
  );
}
