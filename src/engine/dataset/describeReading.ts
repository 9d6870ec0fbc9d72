import type { Config } from "../config/config.ts";
import { factsOf } from "../mos/formats.ts";

/** How a config's MOS file is read, how its images are grouped and where its split is from: a sentence each. */
export function describeReading({ mos, split }: Config, { groups }: { groups: number }): string[] {
  const facts = factsOf(mos?.format);
  const lines: string[] = [];
  if (mos) {
    const [low, high] = mos.range;
    const known = facts && Object.hasOwn(facts.scores, mos.score) ? facts.scores[mos.score] : undefined;
    const assumed = facts && !known?.range ? ", which this layout does not say" : "";
    lines.push(
      `MOS: ${mos.file} is read as ${facts ? `${facts.title} (\`format: ${mos.format}\`)` : "a plain table"}: ` +
        `images by ${mos.image}, scores by ${mos.score}, from ${low} to ${high}${assumed}, ` +
        `${mos.lowerIsBetter ? "lower" : "higher"} is better${mos.std ? `, standard deviations by ${mos.std}` : ""}.`,
    );
  }
  if (split.groupBy !== null) {
    const by = typeof split.groupBy === "string" ? split.groupBy : `the pattern ${split.groupBy.pattern}`;
    const own =
      split.groupBy === facts?.groupBy ? `, as is usual for ${facts.title}; \`groupBy: null\` undoes it` : "";
    lines.push(`Groups: images alike by ${by} never share two splits (${groups} groups)${own}.`);
  }
  if (split.file !== undefined)
    lines.push(`Split: ${split.file}, images by ${split.image}, train, val and test by ${split.column}.`);
  return lines;
}
