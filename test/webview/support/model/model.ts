import { formatted } from "../../../../src/engine/experiments/formats.ts";
import type { ImageRow, PairRow } from "../../../../src/protocol/images.ts";
import type { Failure, JobEvent } from "../../../../src/protocol/jobs.ts";
import type { PanelMethod, PanelRequests } from "../../../../src/protocol/panel.ts";
import type { ProjectSnapshot, RunSummary } from "../../../../src/protocol/project.ts";
import type { EvaluationView, RatingQueue } from "../../../../src/protocol/server.ts";
import { makeEvaluation } from "./evaluation.ts";
import type { ModelExperiment } from "./experiments.ts";
import { makeImages, queryImages } from "./images.ts";
import { makePairs, queryPairs } from "./pairs.ts";
import { makeProject, type Standing } from "./project.ts";
import { rate, ratingQueue } from "./ratings.ts";
import { makeReliability } from "./reliability.ts";
import { makeCurves, makeRuns } from "./runs.ts";

/** All that the editor and the server know, small and in memory; actions change it, so that later answers differ. */
export interface Model {
  projects: ProjectSnapshot[];
  images: ImageRow[];
  pairs: PairRow[];
  runs: RunSummary[];
  evaluations: Map<string, EvaluationView>;
  experiments: ModelExperiment[];
  events: JobEvent[];
  /** Ratings given in this session, newest last. */
  ratings: RatingQueue["rated"];
  /** Who rates, and what comes a second time. */
  sitting: Partial<Pick<RatingQueue, "rater" | "repeat" | "retest">>;
  /** Hashes whose file cannot be read. */
  unreadable: Set<string>;
  /** What is refused instead of answered. */
  refusals: Map<PanelMethod, Failure>;
}

export interface ModelOptions {
  images?: number;
  pairs?: number;
  standing?: Standing;
  seed?: number;
}

export function createModel(options: ModelOptions = {}): Model {
  const { images: amount = 400, pairs = 300, standing = "done", seed = 1 } = options;
  const now = Date.now();
  const images = makeImages(amount, seed, standing !== "new");
  const project = makeProject(images, standing, now);
  const evaluations =
    standing === "new"
      ? []
      : [0.45, 0.32, 0.2, 0].map((spread, at) => makeEvaluation(images, `r${9 + at}`, spread));
  return {
    projects: [project],
    images,
    pairs: standing === "new" ? [] : makePairs(images, pairs, seed + 1),
    runs: evaluations.length ? makeRuns(project.config, evaluations, now) : [],
    evaluations: new Map(evaluations.map((view) => [view.run, view])),
    experiments: [],
    events: [],
    ratings: [],
    sitting: {},
    unreadable: new Set(),
    refusals: new Map(),
  };
}

type Answers = {
  [M in PanelMethod]: (model: Model, params: PanelRequests[M]["params"]) => PanelRequests[M]["result"];
};

/** Small pictures lie in the workspace's cache, as the server writes them. */
const pictureUri = (row: ImageRow, size: "small" | "full") =>
  size === "full" && row.format !== "TIFF"
    ? row.uri
    : `${row.uri.slice(0, row.uri.lastIndexOf("/photos/"))}/.leaf/cache/pictures/${row.path.replaceAll("/", "-")}-${size}.webp`;

export const answers: Answers = {
  "leaf/jobEvents": ({ projects, events }) => ({ job: projects[0]?.job ?? null, events }),
  "leaf/stop": ({ projects }) => {
    const job = projects[0]?.job;
    if (job?.state !== "running") return { stopped: false };
    projects[0]!.job = { ...job, state: "cancelled", ended: new Date().toISOString(), progress: null };
    return { stopped: true };
  },
  "leaf/runs": ({ runs }) => runs,
  "leaf/pinRun": (model, { run, pinned }) => {
    model.runs = model.runs.map((one) => (one.id === run ? { ...one, pinned } : one));
    return null;
  },
  "leaf/curves": (_, { run }) => makeCurves(run),
  "leaf/experiments": ({ experiments }) => experiments.map(({ result: _, ...summary }) => summary),
  "leaf/experiment": ({ experiments }, { experiment }) => {
    const { name, done, failed, total, stale, invalid, result } = experimentOf(experiments, experiment);
    return { name, done, failed, total, stale, invalid, markdown: null, result };
  },
  "leaf/experimentText": ({ experiments }, { experiment, format }) => ({
    text: formatted(experimentOf(experiments, experiment).result!, format),
  }),
  "leaf/evaluation": ({ evaluations }, { run }) =>
    evaluations.get(run ?? [...evaluations.keys()].at(-1) ?? "") ?? null,
  "leaf/reliability": ({ images, pairs }) => makeReliability(images, pairs),
  "leaf/ratingCurve": (_, { next }) => ({
    ratings: 40,
    points: [
      { ratings: 10, rmse: 0.8 },
      { ratings: 40, rmse: 0.5 },
    ],
    fit: { floor: 0.3, scale: 1.5, rate: 0.5 },
    now: 0.5,
    next: { ratings: next, gain: 0.06, ci95: [0.01, 0.1] },
    enough: false,
    ceiling: {
      images: 40,
      ratings: 3,
      alpha: 0.6,
      alphaCi95: [0.5, 0.7],
      splitHalf: 0.7,
      reliability: 0.81,
      srcc: 0.9,
      ci95: [0.85, 0.95],
    },
  }),
  "leaf/ratingRefit": ({ images }) => ({
    ratings: images.filter(({ mos }) => mos !== null).length,
    seconds: 0.4,
    expected: { srcc: 0.61, ci95: [0.4, 0.7] },
    images: images
      .filter(({ mos }) => mos === null)
      .map(({ hash, path }, i) => ({ hash, image: path, score: 4.5 - i / 1000, sd: 0.4 })),
  }),
  "leaf/images": ({ images }, { query }) => queryImages(images, query),
  "leaf/image": ({ images, projects }, { uri, rescore }) => {
    const row = images.find((one) => one.uri === uri);
    const project = projects[0];
    if (!row || !project?.scorer) return null;
    if (rescore && row.score !== null) row.score = Math.min(5, row.score + 0.1);
    const { config, name, imagesName } = project;
    return {
      row,
      project: { config, name, imagesName },
      scorer: project.scorer,
      mosRange: project.mos?.range ?? null,
    };
  },
  "leaf/heatMap": ({ images, projects, unreadable }, { uri }) => {
    const row = images.find((one) => one.uri === uri);
    const scorer = projects[0]?.scorer;
    if (!row || scorer?.kind !== "student" || unreadable.has(row.hash)) return null;
    const at = `${row.uri.slice(0, row.uri.lastIndexOf("/photos/"))}/.leaf/cache/pictures/${row.path.replaceAll("/", "-")}-heat`;
    const reach = 0.4 + (row.size % 100) / 200;
    const [score, sign] = [row.score ?? 3, scorer.lowerIsBetter ? -1 : 1];
    return {
      small: `${at}-small.png`,
      overlay: `${at}-overlay.png`,
      legend: [score - sign * reach, score, score + sign * reach],
      lowerIsBetter: scorer.lowerIsBetter,
    };
  },
  "leaf/pairs": ({ pairs }, { query }) => queryPairs(pairs, query),
  "leaf/overrulePair": ({ pairs }, { a, b, p }) => {
    const pair = pairs.find((one) => one.a.hash === a && one.b.hash === b);
    if (!pair) return null;
    pair.human = p;
    return pair;
  },
  "leaf/thumbnails": ({ images, unreadable }, { hashes, size }) => {
    const rows = new Map(images.map((row) => [row.hash, row]));
    return Object.fromEntries(
      hashes.map((hash) => {
        const row = rows.get(hash);
        return [hash, row && !unreadable.has(hash) ? pictureUri(row, size) : null];
      }),
    );
  },
  "leaf/ratingQueue": (model, { count }) => ratingQueue(model, count),
  "leaf/rate": (model, { hash, rating, repeat }) => rate(model, hash, rating, repeat),
  "leaf/exclude": (model, { paths }) => {
    model.images = model.images.filter(({ path }) => !paths.includes(path));
    return { edited: paths.length };
  },
  "host/command": () => null,
  "host/openFile": () => null,
  "host/reveal": () => null,
  "host/copy": () => null,
  "host/save": () => ({ saved: true }),
};

function experimentOf(experiments: readonly ModelExperiment[], uri: string): ModelExperiment {
  return experiments.find(({ experiment }) => experiment === uri)!;
}
