import path from "node:path";
import type { PairReliability, PointReliability, TeacherReliability } from "../../protocol/reliability.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import type { Project } from "../config/project.ts";
import { type Catalog, type CatalogOptions, openCatalog } from "../dataset/catalog.ts";
import { readMos } from "../dataset/readMos.ts";
import type { SplitName } from "../dataset/split.ts";
import { openLabels } from "../labels/labels.ts";
import { plcc, srcc } from "../metrics/agreement.ts";
import { bootstrapIntervals } from "../metrics/bootstrap.ts";
import { groupsOf } from "../metrics/groups.ts";
import { mosToStudent } from "../mos/scale.ts";
import { asTarget, catalogOfTarget } from "../pipeline/plan/asked.ts";
import { withPlan } from "../pipeline/plan/plan.ts";
import type { Plan } from "../pipeline/plan/types.ts";
import { byGroup, confidentErrors } from "../reliability/confidentErrors.ts";
import {
  decisiveDifference,
  type JudgedPairs,
  type JudgedPoints,
  judgedPairs,
  judgedPoints,
  pick,
} from "../reliability/judged.ts";
import {
  pairMetrics,
  pairRange,
  pointMetrics,
  pointRange,
  reliabilityBins,
  topWords,
} from "../reliability/metrics.ts";
import { chooseMinConfidence } from "../reliability/minConfidence.ts";
import { temperatureScaling } from "../reliability/temperature.ts";

export interface ReliabilityOptions extends CatalogOptions {
  /** Column of the MOS file that groups images, such as the distortion; by default that of `split.groupBy`. */
  by?: string;
  /** In points of 1..5. */
  threshold?: number;
  /** A target beside the main one: its question, labels and human scores. */
  target?: string;
  /** Whose MOS are looked at, by default those of the training images: whoever looks at others chooses by them. */
  split?: SplitName;
}

/**
 * Whether the config's teacher is right, by the MOS of one split: calibration of its probabilities, errors it was sure of, position
 * bias. What is fitted (temperature, minConfidence) is fitted on calibration images alone; nothing is changed. Throws LeafError
 * `config` without MOS, `failed` without labels.
 */
export async function teacherReliability(
  whole: Project,
  options: ReliabilityOptions = {},
): Promise<TeacherReliability> {
  const project = asTarget(whole, options.target);
  const { mos } = project.config;
  if (!mos)
    throw new LeafError(
      "config",
      say`${path.basename(project.configFile)} names no human scores to compare with.`,
      {
        file: project.configFile,
        remedy: say`Add \`mos: { file: …, image: …, score: … }\`.`,
      },
    );
  const read = await openCatalog(whole, options);
  const catalog = project === whole ? read : catalogOfTarget(read, options.target!);
  try {
    const { teacher, calibration } = await withPlan(project, catalog, async (plan) => ({
      teacher: await plan.teacher(),
      calibration: await calibrationHashes(plan),
    }));
    const groupOf = await shownGroups(project, catalog, options);
    const store = openLabels(project.labelsFile, { readOnly: true, people: project.target === undefined });
    try {
      const split = options.split ?? "train";
      const truth = new Map(
        [...catalog.mos].flatMap(([hash, score]) =>
          catalog.splitOf(hash) === split ? [[hash, mosToStudent(score, mos)]] : [],
        ),
      );
      const threshold = options.threshold ?? decisiveDifference;
      const pairs = judgedPairs(store, teacher, truth, threshold);
      const facts = (hash: string) => ({
        hash,
        image: catalog.relativePathOf(hash),
        mos: catalog.mos.get(hash)!,
        group: groupOf(hash),
      });
      return {
        teacher,
        kind: project.config.teacher.kind,
        split,
        rated: truth.size,
        calibration: calibration.size,
        pairs: suggested(pairReliability(pairs, calibration, threshold), project),
        points: pointReliability(judgedPoints(store, teacher, truth), calibration, catalog.groupNameOf),
        groups: byGroup(pairs, groupOf),
        confidentErrors: confidentErrors(pairs, facts),
        positionBias: store.positionBias(teacher),
      };
    } finally {
      store.close();
    }
  } finally {
    catalog.close();
  }
}

/** Where every pair counts there is no least confidence to suggest. */
function suggested(pairs: PairReliability | null, { config }: Project): PairReliability | null {
  if (!pairs || config.distill.loss.confidence) return pairs;
  const why = "all pairs count, since distill.loss.confidence is false";
  return { ...pairs, minConfidence: { value: null, n: 0, why } };
}

export function pairReliability(
  pairs: JudgedPairs,
  calibration: ReadonlySet<string>,
  threshold: number,
): PairReliability | null {
  const metrics = pairMetrics(pairs.p, pairs.aBetter);
  if (!metrics) return null;
  const { p, aBetter, confidence, right } = pairs;
  const judged = { p, truth: aBetter };
  const inside = (i: number) => calibration.has(pairs.a[i]!) && calibration.has(pairs.b[i]!);
  const outside = (i: number) => !calibration.has(pairs.a[i]!) && !calibration.has(pairs.b[i]!);
  const own = [...p.keys()].filter(inside);
  return {
    ...metrics,
    threshold,
    undecided: pairs.undecided,
    bins: reliabilityBins(
      p.map((one) => Math.max(one, 1 - one)),
      right,
      pairRange,
    ),
    byConfidence: reliabilityBins(confidence, right, pointRange),
    temperature: temperatureScaling("pairs", pick(judged, inside), pick(judged, outside)),
    minConfidence: chooseMinConfidence(
      Float64Array.from(own, (i) => confidence[i]!),
      Uint8Array.from(own, (i) => right[i]!),
    ),
  };
}

export function pointReliability(
  points: JudgedPoints,
  calibration: ReadonlySet<string>,
  groupNameOf: (hash: string) => string | undefined,
): PointReliability | null {
  const { p, word, scores, truth } = points;
  const metrics = pointMetrics(p, word);
  if (!metrics) return null;
  const { claimed, right } = topWords(p, word);
  const inside = (i: number) => calibration.has(points.images[i]!);
  const judged = { p, truth: word };
  const agreement = srcc(scores, truth);
  const groups = groupsOf(points.images.map(groupNameOf));
  return {
    ...metrics,
    bins: reliabilityBins(claimed, right, pointRange),
    temperature: temperatureScaling(
      "points",
      pick(judged, inside),
      pick(judged, (i) => !inside(i)),
    ),
    srcc: agreement,
    plcc: plcc(scores, truth),
    ci95:
      agreement === null
        ? null
        : bootstrapIntervals(scores, truth, { replicates: 1000, seed: 0, groups }).srcc,
    ...(groups && { groups: groups.count }),
  };
}

/** None where they cannot be known yet. */
async function calibrationHashes(plan: Plan): Promise<Set<string>> {
  try {
    const { rows } = await plan.calibrate();
    return new Set(rows.filter((row) => row.split === "train").map((row) => row.hash));
  } catch (error) {
    if (error instanceof LeafError) return new Set();
    throw error;
  }
}

/** By a column of the MOS file, else by the folder. */
async function shownGroups(
  { config, root }: Project,
  catalog: Catalog,
  { by, signal }: ReliabilityOptions,
): Promise<(hash: string) => string> {
  const { groupBy } = config.split;
  const column = by ?? (typeof groupBy === "string" && !config.split.file ? groupBy : undefined);
  if (column === undefined) return (hash) => path.posix.dirname(catalog.relativePathOf(hash));
  const source = { ...config.mos!, file: path.resolve(root, config.mos!.file) };
  const { columns } = await readMos(source, catalog.index, { columns: [column], signal });
  return (hash) => columns.get(hash)?.[column] ?? "";
}
