import type { DetectedFormats } from "./detect.ts";
import { factsOf, type MosFormatName } from "./formats.ts";
import { defaultScore } from "./shape.ts";
import type { SubjectModel } from "./subjects.ts";

/** `mos:` as it may be written: what is left out comes from the format. */
export interface WrittenMos {
  file: string;
  format?: MosFormatName | "columns";
  image?: string;
  score?: string;
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
  score: string;
  range: [lowest: number, highest: number];
  lowerIsBetter: boolean;
}

/** Fills in what is left out: from the format's facts of the score's column, else as in a plain CSV file with a MOS on 1..5. */
export function completeMos({ file, format, ...written }: WrittenMos): MosConfig {
  const facts = factsOf(format);
  const { count, rater, raters, subjects } = written;
  const score = written.score ?? (facts && Object.keys(facts.scores)[0]) ?? defaultScore;
  const ofFormat = rater === undefined && raters === undefined && written.score === undefined;
  const votes = written.votes ?? (ofFormat && facts?.votes ? [...facts.votes] : undefined);
  const known = facts && Object.hasOwn(facts.scores, score) ? facts.scores[score] : undefined;
  const std = written.std ?? known?.std;
  return {
    file,
    ...(format === undefined ? {} : { format }),
    image: written.image ?? facts?.image ?? "image",
    score,
    ...(std === undefined ? {} : { std }),
    ...(count === undefined ? {} : { count }),
    ...(rater === undefined ? {} : { rater }),
    ...(raters === undefined ? {} : { raters }),
    ...(votes === undefined ? {} : { votes }),
    ...(subjects === undefined ? {} : { subjects }),
    range: written.range ?? (known?.range ? [...known.range] : [1, 5]),
    lowerIsBetter: written.lowerIsBetter ?? known?.lowerIsBetter ?? false,
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
