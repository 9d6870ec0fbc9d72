import type { Breakdown, Part } from "../../protocol/results.ts";
import { bandOf, bands } from "../../words/score.ts";
import type { MosScale } from "../mos/scale.ts";
import { quantile } from "./bootstrap.ts";
import { plcc, rmse } from "./correlation.ts";
import { srcc } from "./rank.ts";

/** In a group of fewer images a rank correlation says nothing. */
const leastInGroup = 5;
/** Groups that are named, the ones with the lowest SRCC; a dataset may have thousands. */
const namedGroups = 12;

interface Scored {
  score: number;
  mos: number;
  /** Empty for none. */
  group: string;
}

/**
 * The same figures for parts of the images: by the five grades that their MOS falls into, and within each group. Score and MOS are on the
 * MOS' scale. Within a grade the MOS differ little, so that SRCC is lower there than over all.
 */
export function breakdownOf(
  images: readonly Scored[],
  { range, lowerIsBetter = false }: MosScale,
): Breakdown {
  const scale = { scale: [range[0], range[1]] as [number, number], lowerIsBetter };
  const byBand = Map.groupBy(images, ({ mos }) => bandOf(mos, scale));
  const byGroup = Map.groupBy(
    images.filter(({ group }) => group !== ""),
    ({ group }) => group,
  );
  const groups = [...byGroup]
    .filter(([, { length }]) => length >= leastInGroup)
    .map(([name, own]) => partOf(name, own))
    .sort((a, b) => (a.srcc ?? 2) - (b.srcc ?? 2) || (a.name < b.name ? -1 : 1));
  const known = Float64Array.from(groups.flatMap((one) => one.srcc ?? [])).sort();
  return {
    bands: bands.flatMap((band) => {
      const own = byBand.get(band);
      return own ? [partOf(band, own)] : [];
    }),
    ...(known.length > 0 && {
      groups: {
        count: known.length,
        srcc: [quantile(known, 0.25), quantile(known, 0.5), quantile(known, 0.75)],
        lowest: groups.slice(0, namedGroups),
      },
    }),
  };
}

function partOf(name: string, images: readonly Scored[]): Part {
  const scores = Float64Array.from(images, ({ score }) => score);
  const truth = Float64Array.from(images, ({ mos }) => mos);
  return {
    name,
    n: images.length,
    srcc: srcc(scores, truth),
    plcc: plcc(scores, truth),
    rmse: rmse(scores, truth),
    bias: scores.reduce((sum, score, i) => sum + score - truth[i]!, 0) / images.length,
  };
}
