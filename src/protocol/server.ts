import type { ConsentDecision, ConsentView, ConsentWork } from "./consent.ts";
import type { ExperimentFormat, ExperimentResult, ExperimentSummary } from "./experiments.ts";
import type { FailureSummary } from "./failures.ts";
import type { HeatView, ImageQuery, ImageRow, Page, PairQuery, PairRow, Rank } from "./images.ts";
import type { Cluster, JobEvent, JobKind, JobSnapshot } from "./jobs.ts";
import type { ProjectSnapshot, RunSummary, ScorerInfo } from "./project.ts";
import type { TeacherReliability } from "./reliability.ts";
import type { EvaluateResult, Metrics, Retest } from "./results.ts";
import type { LearningCurve, Refit, SelectionStrategy } from "./selection.ts";
import type { Text } from "./text.ts";

/** Extension → server, beside the LSP's own requests. Failures are response errors whose `data` is a `Failure`. */
export interface ServerRequests {
  "leaf/projects": { params: Record<never, never>; result: ProjectSnapshot[] };
  /** Writes a commented leaf.yaml that fits the folder. */
  "leaf/newConfig": { params: { folder: string }; result: { config: string; images: number } };
  /** Makes a folder of distorted photos with a stand-in for MOS and a config, ready to run. */
  "leaf/newDemo": { params: { folder: string }; result: { config: string; images: number } };
  /** `onCluster`: labels on the cluster that the settings name. */
  "leaf/start": { params: { config: string; kind: JobKind; onCluster?: boolean }; result: JobSnapshot };
  /** What a config (or an experiment) names and the user has not approved yet, before it is started. Runs nothing. */
  "leaf/consent": { params: ConsentTarget; result: ConsentView };
  /** The user has seen these and said yes. Those that are another by now are refused (`consent`). */
  "leaf/approve": {
    params: ConsentTarget & { digests: string[]; decision: ConsentDecision };
    result: null;
  };
  /** Runs an experiment as a job of its base config. */
  "leaf/startExperiment": { params: { experiment: string }; result: JobSnapshot };
  /** The experiments of a config; also those beside it that cannot be read, whosesoever they are. */
  "leaf/experiments": { params: { config: string }; result: ExperimentSummary[] };
  /** How far an experiment is, and its table as Markdown (null before the first run). */
  "leaf/experiment": { params: { experiment: string }; result: ExperimentView };
  /** Its table as a document to take elsewhere. */
  "leaf/experimentText": {
    params: { experiment: string; format: ExperimentFormat };
    result: { text: string };
  };
  /** Names of the experiments that ship with LEAF, and one of them written beside a config. */
  "leaf/experimentPresets": { params: Record<never, never>; result: string[] };
  "leaf/newExperiment": { params: { config: string; preset: string }; result: { experiment: string } };
  "leaf/stop": { params: { config: string }; result: { stopped: boolean } };
  /** The newest job's events so far (training curves whole, the rest from the end). */
  "leaf/jobEvents": { params: { config: string }; result: { job: JobSnapshot | null; events: JobEvent[] } };

  /** Asks the teacher about some images and stores nothing: prompts, top tokens and labels as a Markdown document. */
  "leaf/dryRun": {
    params: { config: string; images: number; member?: number };
    result: { markdown: string };
  };

  /** Those that experiments made, which may be hundreds, only if asked for. */
  "leaf/runs": { params: { config: string; experiments?: boolean }; result: RunSummary[] };
  "leaf/pinRun": { params: { config: string; run: string; pinned: boolean }; result: null };
  /** The runs' folder, to be moved to the trash by the editor. */
  "leaf/runFolder": { params: { config: string; run: string }; result: { folder: string; files: string[] } };
  /** The run's config as YAML text. */
  "leaf/runConfig": { params: { config: string; run: string }; result: { text: string } };
  "leaf/curves": { params: { config: string; run: string }; result: RunCurves };
  /** Whether the config's teacher is right, by the MOS there are; `by`: a column of the MOS file to group by. */
  "leaf/reliability": { params: { config: string; by?: string }; result: TeacherReliability };
  "leaf/evaluation": {
    params: { config: string; run?: string; target?: string };
    result: EvaluationView | null;
  };

  "leaf/images": { params: { config: string; query: ImageQuery }; result: Page<ImageRow> };
  "leaf/bands": { params: { config: string }; result: Band[] };
  "leaf/pairs": { params: { config: string; query: PairQuery }; result: Page<PairRow> };
  /** A person's word on a pair: P(a better), or null to take it back. */
  "leaf/overrulePair": {
    params: { config: string; a: string; b: string; p: number | null };
    result: PairRow | null;
  };
  /** Makes small pictures (or ones that a browser can show, in full size); by hash, or null where the file cannot be read. */
  "leaf/thumbnails": {
    params: { config: string; hashes: string[]; size: "small" | "full" };
    result: Record<string, string | null>;
  };

  /** An image's heat map, made if need be; null before there is a student. Refused (`input`) by an old student, which has none. */
  "leaf/heatMap": { params: { uri: string }; result: HeatView | null };
  /** What is known of one image file, scoring it if need be; null if it is no image of any project. */
  "leaf/image": { params: { uri: string; rescore?: boolean }; result: ImageView | null };
  /** Known scores only, for decorations and tables; nothing is computed. */
  "leaf/scores": { params: { uris: string[] }; result: (KnownScore | null)[] };
  /** Scores files and folders anew; progress comes as work-done progress under the token. */
  "leaf/score": {
    params: { uris: string[]; workDoneToken?: string | number };
    result: { scored: number; failed: { uri: string; reason: string }[] };
  };
  /** Images whose path stands in a line of text, with the place of each. */
  "leaf/pathsInText": {
    params: { document: string; lines: { line: number; text: string }[] };
    result: { line: number; start: number; end: number; uri: string }[];
  };
  /** The hover of an image path at a character of one line; the document itself is never sent. */
  "leaf/imageHover": {
    params: { document: string; text: string; character: number };
    result: { markdown: string; start: number; end: number } | null;
  };

  /** Images that a person should rate next, in a seeded order; asking for more than were proposed adds to the proposal. */
  "leaf/ratingQueue": { params: { config: string; count: number } & Sitting; result: RatingQueue };
  /** Writes one rating to the MOS file at once (and names the file in the config if it names none); null takes it back. */
  "leaf/rate": {
    /** `repeat`: the second rating of an image, beside the first. */
    params: { config: string; hash: string; rating: number | null; repeat?: boolean } & Sitting;
    result: RatingQueue;
  };
  /** Whether `next` more ratings would pay; null with too few so far, or without a distilled student. Some seconds at first. */
  "leaf/ratingCurve": { params: { config: string; next: number }; result: LearningCurve | null };
  "leaf/ratingRefit": { params: { config: string }; result: Refit };
  /** Adds `!path` entries to `images:`. */
  "leaf/exclude": { params: { config: string; paths: string[] }; result: { edited: number } };

  /** Refused (`usage`) over an input of the project and, without `force`, over a file that LEAF did not write. */
  "leaf/export": {
    params: { config: string; what: "labels" | "scores" | "student"; out: string; force?: boolean };
    /** With `scores`: the images that have none. */
    result: { files: string[]; failures?: FailureSummary };
  };
  /** Writes the report of a run (the newest by default) as one HTML file; refused as `leaf/export`. */
  "leaf/report": {
    params: { config: string; run?: string; out: string; force?: boolean };
    result: { run: string; file: string };
  };
  /** What a file is to the projects that read it ("the config"), before the editor writes over it; null for any other. */
  "leaf/inputAt": { params: { uri: string }; result: { what: string | null } };
  "leaf/environment": { params: { config?: string }; result: EnvironmentView };
}

/** What is about to be started: some work of a config, or an experiment. */
export type ConsentTarget = { config: string; work: ConsentWork } | { experiment: string };

/** Server → extension. */
export interface ServerNotifications {
  /** All projects, at most four times a second. */
  "leaf/changed": { projects: ProjectSnapshot[] };
  "leaf/jobEvents": { config: string; job: JobSnapshot; events: JobEvent[] };
  /** Scores of these files are new, changed or gone; `all` for too many to name. */
  "leaf/scoresChanged": { uris: string[]; all: boolean };
}

/** What the extension says as it starts the server. */
export interface ServerStart {
  /** The editor's language: English text → text of that language. Left out for English. */
  bundle?: Record<string, string>;
}

/** Extension → server, told at any time. */
export interface ClientNotifications {
  "leaf/settings": ServerSettings;
  /** Never logged, never written to a file. null: there is none. */
  "leaf/secrets": {
    /** By the origin that each was given for, or `server`. */
    teacherKeys: Record<string, string>;
  };
}

export interface ServerSettings {
  /** Score new images with an existing student in the background. */
  scoreNewImages: boolean;
  /** What becomes of a running job when the window closes. */
  onClose: "continue" | "stop";
  /** Poll folders instead of watching them: network drives. */
  usePolling: boolean;
  /** Interpreter chosen for LEAF or in the Python extension; it comes before that of a config. */
  pythonInterpreter: string | null;
  /** Names of variables that configs may name as keys, beside *_API_KEY and LEAF_*. */
  allowedKeyVariables: string[];
  /** Link-local and metadata addresses are meant. */
  allowLinkLocal: boolean;
  /** Where labels may be asked for beside this machine; null for nowhere. */
  cluster: Cluster | null;
  /** The editor's proxy, and what is asked without it; null: as the environment says. */
  proxy: string | null;
  noProxy: string[];
}

export interface ImageView {
  row: ImageRow;
  project: { config: string; name: string; imagesName: string };
  scorer: ScorerInfo;
  mosRange: [number, number] | null;
  /** URI of the small heat map; null or absent where there is none. */
  heat?: string | null;
}

export interface KnownScore {
  score: number;
  rank: Rank | null;
  /** Its title. */
  scorer: Text;
  scale: [number, number];
}

/** Images of one range of quality, best last. */
export interface Band {
  name: "bad" | "poor" | "fair" | "good" | "excellent";
  range: [number, number];
  count: number;
}

export interface CurvePoint {
  epoch: number;
  loss: number;
  /** Null where no batch of the epoch defines that part. */
  parts: Record<string, number | null>;
  srcc: number | null;
  plcc: number | null;
}

export interface RunCurves {
  distill: CurvePoint[];
  calibrate: CurvePoint[];
}

export interface EvaluationView {
  run: string;
  /** Where there are several targets: which this is of, and all names, the main one first. */
  target?: { name: string; names: string[] };
  evaluation: EvaluateResult;
  /** On the MOS scale. */
  points: { hash: string; path: string; score: number; mos: number; teacher: number | null }[];
  range: [number, number];
  /** The 4-parameter logistic fit on the MOS axis: pairs of (score, fitted MOS), ready to draw; null where none converged. */
  fit: [number, number][] | null;
  /** The same images: the teacher alone, the distilled student (TGD), the calibrated one (CFT). */
  arms: { name: "teacher" | "TGD" | "CFT"; metrics: Metrics | null }[];
  /** Published figures, where the dataset is one of the paper's. */
  paper: { dataset: string; rows: { name: string; srcc: number; plcc: number }[] } | null;
}

/** Who rates, and how: the settings `leaf.rater` and `leaf.repeatRatings`, which the extension adds. */
export interface Sitting {
  /** Absent or empty where it was not said. */
  rater?: string;
  /** For how many images one is shown once more, where the file tells raters apart; by default none. */
  repeatEvery?: number;
}

export interface RatingQueue {
  /** Not yet rated, in the order to be rated. */
  images: ImageRow[];
  /** An image that this rater has rated, to be shown once more among the others: without a word, so that nobody thinks back. */
  repeat?: ImageRow;
  /** Ratings so far, in this sitting and earlier ones, newest last: what undo takes back. */
  rated: { hash: string; path: string; rating: number; repeat?: boolean }[];
  /** How many were proposed, and for what. */
  proposed: { train: number; test: number };
  /** How the training ones were chosen, where the config asks for more than a draw; `why` not as asked. */
  selection?: { asked: SelectionStrategy; used: SelectionStrategy; why?: string };
  file: string;
  /** Human scores in the file altogether. */
  total: number;
  /** Who rates; empty where it was not said, null where the file has one score an image, whoever gives it. */
  rater: string | null;
  /** How far the rater agrees with themselves on images that came twice. */
  retest?: Retest;
}

export interface ExperimentView {
  name: string;
  done: number;
  failed: number;
  total: number;
  /** The file or its base has changed since the table was made. */
  stale: boolean;
  invalid: string | null;
  markdown: string | null;
  result: ExperimentResult | null;
}

export interface EnvironmentView {
  ready: boolean;
  interpreter: string | null;
  /** "Python 3.11 · PyTorch 2.13 · CPU", or why there is none. */
  summary: string;
  managed: boolean;
  /** What setting it up would fetch. */
  download: string;
}

export type ServerMethod = keyof ServerRequests;
export type ParamsOf<M extends ServerMethod> = ServerRequests[M]["params"];
export type ResultOf<M extends ServerMethod> = ServerRequests[M]["result"];
