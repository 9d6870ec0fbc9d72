import { ceilingText } from "../../words/ceiling.ts";
import { figure } from "../../words/figure.ts";
import { english } from "../../words/translate.ts";
import type { Config } from "../config/config.ts";
import { teacherFor } from "../config/questions.ts";
import { ceilingOf } from "../metrics/ceiling.ts";
import { mainColumn, targetsOf } from "../mos/complete.ts";
import { factsOf } from "../mos/formats.ts";
import { leastToCorrect, opinionsOf, ratersOf, unbiased } from "../mos/subjects.ts";
import type { Catalog } from "./catalog.ts";

type Read = Pick<
  Catalog,
  "groups" | "hashes" | "keptTogether" | "mosStd" | "mosCount" | "mosShape" | "raw" | "targets"
>;

/** How a config's MOS file is read, how its images are grouped and where its split is from: a sentence each. */
export function describeReading(config: Config, catalog: Read): string[] {
  const { mos, split } = config;
  const facts = factsOf(mos?.format);
  const lines: string[] = [];
  if (mos) {
    const [low, high] = mos.range;
    const score = mainColumn(mos);
    const known = facts && Object.hasOwn(facts.scores, score) ? facts.scores[score] : undefined;
    const assumed = facts && !known?.range ? ", which this layout does not say" : "";
    const std = mos.std !== undefined && catalog.mosStd.size > 0 && !catalog.raw;
    lines.push(
      `MOS: ${mos.file} is read as ${facts ? `${facts.title} (\`format: ${mos.format}\`)` : "a plain table"}: ` +
        `images by ${mos.image}, ${opinionWords(score, catalog)}, from ${low} to ${high}${assumed}, ` +
        `${mos.lowerIsBetter ? "lower" : "higher"} is better${std ? `, standard deviations by ${mos.std}` : ""}.`,
    );
    lines.push(...ratingLines(mos, catalog));
    for (const { name, column, range, lowerIsBetter, mos: rated } of catalog.targets ?? [])
      lines.push(
        `Target ${name}: scores by ${column}, from ${range[0]} to ${range[1]}, ` +
          `${lowerIsBetter ? "lower" : "higher"} is better; ${rated.size} images rated.`,
      );
    lines.push(...questionLines(config));
  }
  if (split.groupBy !== null) {
    const by = typeof split.groupBy === "string" ? split.groupBy : `the pattern ${split.groupBy.pattern}`;
    const isOwn = split.groupBy === facts?.groupBy;
    const own = isOwn ? `, as is usual for ${facts?.title}; \`groupBy: null\` undoes it` : "";
    lines.push(
      isOwn && catalog.groups === catalog.hashes.length
        ? `Groups: none; ${mos?.file} says no reference by ${by}, as is usual for ${facts?.title}.`
        : `Groups: images alike by ${by} never share two splits (${catalog.groups} groups)${own}.`,
    );
  }
  const together = catalog.keptTogether?.families ?? [];
  if (together.length > 0)
    lines.push(
      `Near duplicates: ${together.flat().length} images are versions of ${together.length} pictures, which never share two splits ` +
        `(alike by ${split.similar} and more); \`split.similar: null\` undoes it.`,
    );
  if (split.file !== undefined)
    lines.push(`Split: ${split.file}, images by ${split.image}, train, val and test by ${split.column}.`);
  return lines;
}

/** Which of several targets the teacher is asked about. */
function questionLines({ mos, teacher }: Config): string[] {
  const [main, ...further] = targetsOf(mos).map(({ name }) => name);
  if (main === undefined) return [];
  const asked = further.filter((name) => teacherFor(teacher, name));
  const others = further.filter((name) => !asked.includes(name));
  if (asked.length === 0)
    return [
      `The teacher is asked about ${main} alone: students learn the other targets from their human scores.`,
    ];
  return [
    `The teacher is asked about ${[main, ...asked].join(", ")}, each by a question of its own.`,
    ...(others.length > 0 ? [`Students learn ${others.join(", ")} from human scores alone.`] : []),
  ];
}

/** "scores by mos", or how single ratings are read. */
function opinionWords(score: string, { mosShape: shape, raw }: Read): string {
  if (!shape || !raw) return `scores by ${score}`;
  switch (raw.how) {
    case "rows":
      return `single ratings by ${score}, one a row, raters by ${shape.kind === "rows" ? shape.rater : "name"}`;
    case "anonymous":
      return `single ratings by ${score}, several rows an image, whose raters are not named`;
    case "columns":
      return `single ratings, a column for each rater (${listed(shape.kind === "columns" ? shape.raters : [])})`;
    case "votes":
      return shape.kind === "votes"
        ? `votes for each grade (${listed(shape.votes)})`
        : `votes for each grade, a list of them by ${score}`;
    case "lists":
      return `single ratings, a list of them by ${score}`;
  }
}

function listed(names: readonly string[]): string {
  return names.length > 3 ? `${names[0]} … ${names.at(-1)}, ${names.length} of them` : names.join(", ");
}

const mostNamed = 5;

/** What the single ratings are like, and what that means for their mean. */
function ratingLines(mos: NonNullable<Config["mos"]>, { raw, mosCount }: Read): string[] {
  if (!raw) return [];
  const { ratings } = raw;
  const numbers = [...mosCount.values()];
  const total = numbers.reduce((sum, n) => sum + n, 0);
  const corrected = mos.subjects === "bias-corrected";
  const raters = ratings.raters.length > 1 ? ratersOf(ratings) : [];
  const what = raw.how === "votes" ? "votes" : "ratings";
  const lines: string[] = [];
  if (total > 0) {
    const [least, most] = [
      numbers.reduce((a, b) => Math.min(a, b)),
      numbers.reduce((a, b) => Math.max(a, b)),
    ];
    const each =
      least === most ? `${least}` : `${least} to ${most}, on average ${figure(total / numbers.length, 1)},`;
    const isWeighted = corrected && unbiased(ratings).fit.weighted;
    const mean = corrected
      ? `their mean without the raters' biases${isWeighted ? ", weighted by consistency" : ""} (ITU-T P.913)`
      : "their plain mean";
    lines.push(
      `Ratings: ${total} ${what} of ${numbers.length} images${ratings.raters.length > 0 ? ` by ${ratings.raters.length} raters` : ""}, ` +
        `${each} an image. The MOS is ${mean}.`,
    );
  }
  if (raters.length > 1) {
    const [plain, other] = [opinionsOf(ratings, "plain"), opinionsOf(ratings, "bias-corrected")];
    let most = 0;
    for (const [key, { mos: one }] of plain) most = Math.max(most, Math.abs(one - other.get(key)!.mos));
    const biases = raters.filter(({ ratings: n }) => n >= leastToCorrect).map(({ bias }) => bias);
    if (biases.length > 1)
      lines.push(
        `Raters' biases are from ${figure(Math.min(...biases), 2)} to ${figure(Math.max(...biases), 2)}; \`subjects: ${corrected ? "plain" : "bias-corrected"}\` ` +
          `would change a MOS by ${figure(most, 2)} at most.`,
      );
    if (corrected && !unbiased(ratings).fit.weighted)
      lines.push(
        "Raters: weights by consistency would have left one rater alone, so that biases are removed and all count alike.",
      );
    const outliers = raters.filter(({ outlier }) => outlier);
    const names = outliers
      .slice(0, mostNamed)
      .map(
        ({ name, outlier }) =>
          `${name} (${outlier === "screened" ? "BT.500 would reject them" : "rates against the others"})`,
      );
    if (outliers.length > 0)
      lines.push(
        `Outlying raters, who count all the same: ${names.join(", ")}${outliers.length > mostNamed ? ` and ${outliers.length - mostNamed} more` : ""}.`,
      );
  }
  const ceiling = ceilingOf(mos, ratings, ratings.keys());
  if (ceiling) lines.push(ceilingText(english, ceiling));
  return lines;
}
