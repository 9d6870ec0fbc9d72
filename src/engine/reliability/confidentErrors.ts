import type { ConfidentError, GroupReliability, RatedImage } from "../../protocol/reliability.ts";
import type { JudgedPairs } from "./judged.ts";

/** A preference of .89 or more. */
const confident = 0.5;
const listed = 20;

/** The wrong pairs that the teacher was surest of, surest first. */
export function confidentErrors(pairs: JudgedPairs, factsOf: (hash: string) => RatedImage): ConfidentError[] {
  const wrong = [...pairs.right.keys()].filter((i) => !pairs.right[i] && pairs.confidence[i]! > 0);
  wrong.sort((i, j) => pairs.confidence[j]! - pairs.confidence[i]! || i - j);
  return wrong.slice(0, listed).map((i) => {
    const [a, b] = [factsOf(pairs.a[i]!), factsOf(pairs.b[i]!)];
    const p = pairs.p[i]!;
    return pairs.aBetter[i]
      ? { better: a, worse: b, p, confidence: pairs.confidence[i]! }
      : { better: b, worse: a, p: 1 - p, confidence: pairs.confidence[i]! };
  });
}

/** A pair counts for the group of each of its images, once. Worst group first. */
export function byGroup(pairs: JudgedPairs, groupOf: (hash: string) => string): GroupReliability[] {
  const groups = new Map<string, { pairs: number; right: number; confidentlyWrong: number }>();
  for (let i = 0; i < pairs.p.length; i++)
    for (const name of new Set([groupOf(pairs.a[i]!), groupOf(pairs.b[i]!)])) {
      const group = groups.get(name) ?? { pairs: 0, right: 0, confidentlyWrong: 0 };
      groups.set(name, group);
      group.pairs++;
      if (pairs.right[i]) group.right++;
      else if (pairs.confidence[i]! >= confident) group.confidentlyWrong++;
    }
  return [...groups]
    .map(([group, counts]) => ({ group, ...counts, right: counts.right / counts.pairs }))
    .sort((x, y) => x.right - y.right || (x.group < y.group ? -1 : 1));
}
