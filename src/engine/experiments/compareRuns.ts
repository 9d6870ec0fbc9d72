import type { RunRecord } from "../../protocol/results.ts";
import { figure, interval, none, pValue, signed } from "../../words/figure.ts";
import { groupsNote } from "../../words/groups.ts";
import { say } from "../../words/text.ts";
import { english } from "../../words/translate.ts";
import { LeafError } from "../base/errors.ts";
import type { Project } from "../config/project.ts";
import { type ComparedFigures, compareScores, tested } from "../metrics/compareScores.ts";
import { pairedSet } from "./compare.ts";
import { studentPredictions } from "./predictions.ts";
import { metricNames, type Table } from "./table.ts";

export interface ComparedRuns {
  a: string;
  b: string;
  /** Images that both have predicted. */
  n: number;
  /** Groups of images that were drawn together; absent where it was images. */
  groups?: number;
  bootstrap: number;
  metrics: ComparedFigures;
  /** Images whose MOS has changed between the two: that of b counts. */
  otherMos: number;
}

/** A run's student and where it lies. */
export interface RunPlace {
  name: string;
  project: Project;
  run: RunRecord;
}

/**
 * Whether one run's student is better than another's: a paired bootstrap over the images that both were evaluated on, or over groups
 * of them. Throws a LeafError `input` where a run was not evaluated, or both have fewer than three images in common.
 */
export async function compareRuns(
  a: RunPlace,
  b: RunPlace,
  { bootstrap, signal }: { bootstrap: number; signal?: AbortSignal },
): Promise<ComparedRuns> {
  const [ofA, ofB] = [await predictionsOf(a), await predictionsOf(b)];
  const found = pairedSet(ofA, ofB);
  if (!found)
    throw new LeafError("input", say`${a.name} and ${b.name} were evaluated on different images.`, {
      remedy: say`Compare runs with the same test images: the same \`split\`, or one split file.`,
    });
  const { hashes, set } = found;
  return {
    a: a.name,
    b: b.name,
    n: hashes.length,
    ...(set.groups && { groups: set.groups.count }),
    bootstrap,
    metrics: await compareScores(set, { bootstrap, signal }),
    otherMos: hashes.filter((hash) => ofA.get(hash)!.mos !== ofB.get(hash)!.mos).length,
  };
}

function predictionsOf({ name, project, run }: RunPlace) {
  const key = run.stages.evaluate?.key ?? run.distilledEvaluation;
  if (key === undefined)
    throw new LeafError("input", say`${name} has not been evaluated.`, {
      remedy: say`Run \`leaf evaluate\` first.`,
    });
  return studentPredictions(project, key);
}

export function comparedTable({ a, b, n, groups, bootstrap, metrics, otherMos }: ComparedRuns): Table {
  const rows = tested.map((metric) => {
    const { a, b, test } = metrics[metric];
    const tested = test
      ? [`${signed(test.difference)} ${interval(test.interval, 3, signed)}`, pValue(test.p)]
      : [none, none];
    return { group: "arm" as const, cells: [metricNames[metric], figure(a), figure(b), ...tested] };
  });
  return {
    header: ["", a, b, "Δ [95 %]", "p"],
    rows,
    notes: [
      `On the ${n} images that both have. Δ, its 95 % interval and p: paired bootstrap over ${groups === undefined ? "images" : `${groups} groups of images`} (${bootstrap} resamples), two-sided, each measure by itself.`,
      ...(groups === undefined ? [] : [groupsNote(english, groups)]),
      ...(otherMos > 0 ? [`${otherMos} of the images have another MOS by now: that of ${b} counts.`] : []),
    ],
  };
}
