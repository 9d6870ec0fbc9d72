import type { ItemFailure } from "../../protocol/failures.ts";
import type { LearningCurve, SelectionStrategy, SelectResult } from "../../protocol/selection.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { failuresDir, type Project } from "../config/project.ts";
import { type Catalog, openCatalog } from "../dataset/catalog.ts";
import type { SplitName } from "../dataset/split.ts";
import { failuresIn } from "../failures/list.ts";
import { tellFailures } from "../failures/words.ts";
import { ceilingOf } from "../metrics/ceiling.ts";
import { studentToMos } from "../mos/scale.ts";
import type { StudentTable } from "../selection/featureStore.ts";
import { learningCurve } from "../selection/learningCurve.ts";
import { takeChoices } from "../selection/strategies.ts";
import { candidatesOf, sampleCandidates, studentTable } from "../selection/studentTable.ts";
import { withPlan } from "./plan/plan.ts";
import { isFinished, type StageOptions, stageDir } from "./stage.ts";

export interface SelectOptions extends StageOptions {
  n: number;
  /** By default that of `calibrate.selection`. */
  strategy?: SelectionStrategy;
  /** Images to calibrate with are of the training split; others are only ever drawn at random, so that they judge fairly. */
  split?: SplitName;
  /** Also images that have a MOS. */
  all?: boolean;
}

/**
 * Which images people should rate next, best choice first. Rated ones count as chosen, so that the rest complements them.
 * Throws LeafError `failed` where the strategy needs a distilled student and there is none, `usage` for a wrong combination.
 */
export async function selectImages(project: Project, options: SelectOptions): Promise<SelectResult> {
  const { calibrate } = project.config;
  const strategy = options.strategy ?? calibrate.selection;
  const split = options.split ?? "train";
  if (split !== "train" && strategy !== "random") {
    throw new LeafError(
      "usage",
      say`Images of the ${split} split are drawn at random only, not by ${strategy}.`,
      {
        remedy: say`They stand for all images when a student is evaluated: leave out --strategy, or --split.`,
      },
    );
  }
  const catalog = await openCatalog(project, options);
  try {
    const ofSplit = catalog.hashes.filter((hash) => catalog.splitOf(hash) === split);
    const rated = ofSplit.filter((hash) => catalog.mos.has(hash));
    const pool = options.all ? ofSplit : ofSplit.filter((hash) => !catalog.mos.has(hash));
    const already = options.all ? [] : rated;
    const student = await distilledStudent(project, catalog);
    if (strategy !== "random" && !student) {
      throw new LeafError(
        "failed",
        say`The strategy ${strategy} needs the distilled student, and there is none yet.`,
        {
          remedy: say`Run \`leaf distill\` first, or take \`--strategy random\`.`,
        },
      );
    }
    const limit = (hashes: string[]) =>
      strategy === "random" ? hashes : sampleCandidates(hashes, calibrate.seed);
    const [considered, known] = [limit(pool), limit(already)];
    const all = [...considered, ...known];
    const list = failuresIn(failuresDir(project, "select"));
    const table =
      strategy === "random"
        ? bareTable(all)
        : await tableOf(project, catalog, student!, all, options, list.add);
    const failures = await list.finish();
    const candidates = candidatesOf(
      project,
      strategy === "random" ? undefined : student!.teacher,
      table,
      calibrate.seed,
      known,
    );
    const chosen = await takeChoices(strategy, candidates, options.n, options.signal);
    if (chosen.length === 0 && options.n > 0 && pool.length > 0)
      throw new LeafError("failed", say`None of the ${considered.length} images can be chosen.`, {
        failures,
        remedy: say`Run \`leaf check\`, and repair or exclude the files that failed.`,
      });
    tellFailures(failures, "select", options.onWarning);
    const scale = project.config.mos;
    const predicted = (i: number) => {
      const score = candidates.scores[i]!;
      return Number.isNaN(score) ? null : scale ? studentToMos(score, scale) : score;
    };
    return {
      strategy,
      split,
      images: chosen.map((i) => {
        const hash = candidates.hashes[i]!;
        return { image: catalog.relativePathOf(hash), hash, predicted: predicted(i) };
      }),
      pool: { images: pool.length, considered: considered.length },
      curve:
        student && split === "train" ? await curveOf(project, catalog, student, options.n, options) : null,
      ...(failures && { failures }),
    };
  } finally {
    catalog.close();
  }
}

interface Distilled {
  key: string;
  teacher: string;
}

/** The student of the config as it is now, if it is finished. */
export async function distilledStudent(project: Project, catalog: Catalog): Promise<Distilled | undefined> {
  const { key, label } = await withPlan(project, catalog, (plan) => plan.distill());
  return isFinished(project, "distill", key) ? { key, teacher: label.teacher } : undefined;
}

async function curveOf(
  project: Project,
  catalog: Catalog,
  student: Distilled,
  next: number,
  options: StageOptions,
): Promise<LearningCurve | null> {
  const { mos, calibrate } = project.config;
  if (!mos || next < 1) return null;
  const rated = catalog.hashes.filter((hash) => catalog.splitOf(hash) === "train" && catalog.mos.has(hash));
  const sample = sampleCandidates(rated, calibrate.seed, mostInCurve);
  const table = await tableOf(project, catalog, student, sample, options);
  const truth = Float64Array.from(table.hashes, (hash) => catalog.mos.get(hash)!);
  const range = mos.range[1] - mos.range[0];
  const curve = await learningCurve(table, truth, {
    next,
    range,
    seed: calibrate.seed,
    signal: options.signal,
    groups: table.hashes.map((hash) => catalog.groupNameOf(hash)),
    ratings: rated.length,
  });
  const ceiling = curve && ceilingOf(mos, catalog.raw?.ratings, rated);
  return curve && { ...curve, ...(ceiling && { ceiling }) };
}

const mostInCurve = 400;

function tableOf(
  project: Project,
  catalog: Catalog,
  { key }: Distilled,
  hashes: readonly string[],
  options: StageOptions,
  onFailure?: (failure: ItemFailure) => void,
): Promise<StudentTable> {
  const items = hashes.map((hash) => ({ hash, path: catalog.pathOf(hash) }));
  const threads = project.config.python.threads ?? undefined;
  return studentTable(project, `distill-${key}`, stageDir(project, "distill", key), items, {
    ...options,
    threads,
    onFailure,
  });
}

/** For a draw that looks at nothing. */
function bareTable(hashes: string[]): StudentTable {
  return {
    hashes,
    scores: new Float64Array(hashes.length).fill(Number.NaN),
    features: new Float32Array(),
    dim: 0,
  };
}
