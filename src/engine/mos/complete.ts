import type { DetectedFormats } from "./detect.ts";
import { factsOf, type MosFormatName } from "./formats.ts";
import { defaultScore } from "./shape.ts";
import type { SubjectModel } from "./subjects.ts";
import { type Target, type WrittenScore, writtenTargets } from "./targets.ts";

/** `mos:` as it may be written: what is left out comes from the format. */
export interface WrittenMos {
  file: string;
  format?: MosFormatName | "columns";
  image?: string;
  score?: WrittenScore;
  std?: string;
  count?: string;
  rater?: string;
  raters?: string | string[];
  votes?: string | string[];
  subjects?: SubjectModel;
  range?: [lowest: number, highest: number];
  lowerIsBetter?: boolean;
}

/** `mos:` with everything that reading it takes. */
export interface MosConfig extends WrittenMos {
  image: string;
  /** The column; a list where there are several targets. The other keys are those of the main one. */
  score: string | Target[];
  range: [lowest: number, highest: number];
  lowerIsBetter: boolean;
}

/** The scores of one target. */
export type OneMos = Omit<MosConfig, "score"> & { score: string };

/** Fills in what is left out: from the format's facts of the score's column, else as in a plain CSV file with a MOS on 1..5. */
export function completeMos({ file, format, ...written }: WrittenMos): MosConfig {
  const facts = factsOf(format);
  const { count, rater, raters, subjects } = written;
  const given = written.score ?? (facts && Object.keys(facts.scores)[0]) ?? defaultScore;
  const all = writtenTargets(given);
  const [main] = all as [(typeof all)[number]];
  const ofFormat = rater === undefined && raters === undefined && written.score === undefined;
  const votes = written.votes ?? (ofFormat && facts?.votes ? [...facts.votes] : undefined);
  const known = (column: string) =>
    facts && Object.hasOwn(facts.scores, column) ? facts.scores[column] : undefined;
  const rangeOf = (one: typeof main): [number, number] => {
    const range = one.range ?? written.range ?? known(one.column)?.range ?? [1, 5];
    return [range[0], range[1]];
  };
  const directionOf = (one: typeof main) =>
    one.lowerIsBetter ?? written.lowerIsBetter ?? known(one.column)?.lowerIsBetter ?? false;
  const std = main.std ?? written.std ?? known(main.column)?.std;
  const number = main.count ?? count;
  return {
    file,
    ...(format === undefined ? {} : { format }),
    image: written.image ?? facts?.image ?? "image",
    score:
      all.length === 1
        ? main.column
        : all.map((one) => ({ ...one, range: rangeOf(one), lowerIsBetter: directionOf(one) })),
    ...(std === undefined ? {} : { std }),
    ...(number === undefined ? {} : { count: number }),
    ...(rater === undefined ? {} : { rater }),
    ...(raters === undefined ? {} : { raters }),
    ...(votes === undefined ? {} : { votes }),
    ...(subjects === undefined ? {} : { subjects }),
    range: rangeOf(main),
    lowerIsBetter: directionOf(main),
  };
}

/** The main target alone. */
export function mainMos<T extends Scores>(mos: T): Omit<T, "score"> & { score: string } {
  return { ...mos, score: mainColumn(mos) };
}

type Scores = { score: string | readonly Pick<Target, "column">[] };

export function mainColumn({ score }: Scores): string {
  return typeof score === "string" ? score : score[0]!.column;
}

/** The targets, the main one first; none where there is one alone. */
export function targetsOf(mos: Pick<MosConfig, "score"> | undefined): Target[] {
  return mos && typeof mos.score !== "string" ? mos.score : [];
}

/** Those beside the main one. */
export function furtherTargets(mos: Pick<MosConfig, "score"> | undefined): Target[] {
  return targetsOf(mos).slice(1);
}

/** How a target's column is read. What `mos` says of deviations and counts is of the main one. */
export function mosOfTarget(mos: MosConfig, { column, std, count, range, lowerIsBetter }: Target): OneMos {
  const { std: _, count: __, ...shared } = mos;
  return {
    ...shared,
    score: column,
    ...(std === undefined ? {} : { std }),
    ...(count === undefined ? {} : { count }),
    range,
    lowerIsBetter,
  };
}

/** The config as parsed YAML with the formats that its files turned out to have; what is written stays. */
export function withFormats(value: unknown, { mos, split }: DetectedFormats): unknown {
  if (!mos && !split) return value;
  const config = { ...(value as Record<string, Record<string, unknown>>) };
  if (mos) config.mos = { format: mos, ...config.mos };
  const facts = factsOf(split);
  if (facts)
    config.split = { image: facts.image, ...(facts.split ? { column: facts.split } : {}), ...config.split };
  return config;
}
