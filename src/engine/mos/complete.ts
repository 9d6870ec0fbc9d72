import type { DetectedFormats } from "./detect.ts";
import { factsOf, type MosFormatName } from "./formats.ts";

/** `mos:` as it may be written: what is left out comes from the format. */
export interface WrittenMos {
  file: string;
  format?: MosFormatName | "columns";
  image?: string;
  score?: string;
  std?: string;
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
  const score = written.score ?? (facts && Object.keys(facts.scores)[0]) ?? "mos";
  const known = facts && Object.hasOwn(facts.scores, score) ? facts.scores[score] : undefined;
  const std = written.std ?? known?.std;
  return {
    file,
    ...(format === undefined ? {} : { format }),
    image: written.image ?? facts?.image ?? "image",
    score,
    ...(std === undefined ? {} : { std }),
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
