import type { ImageRow } from "../../src/protocol/images.ts";
import type { JobSnapshot, TimedProgress } from "../../src/protocol/jobs.ts";
import type { ProjectSnapshot, RunSummary, StageSnapshot } from "../../src/protocol/project.ts";
import { say } from "../../src/words/text.ts";

export function progress(over: Partial<TimedProgress> = {}): TimedProgress {
  return {
    stage: "label",
    step: "points",
    done: 10,
    total: 100,
    unit: "images",
    rate: null,
    secondsLeft: null,
    ...over,
  };
}

export function job(over: Partial<JobSnapshot> = {}): JobSnapshot {
  return {
    id: "j1",
    kind: "run",
    config: "file:///w/leaf.yaml",
    started: "2026-11-24T11:00:00Z",
    ended: null,
    state: "running",
    progress: null,
    failure: null,
    warnings: 0,
    ...over,
  };
}

export function stage(over: Partial<StageSnapshot> = {}): StageSnapshot {
  return { stage: "label", state: "fresh", reason: null, headline: null, run: null, updated: null, ...over };
}

export function project(over: Partial<ProjectSnapshot> = {}): ProjectSnapshot {
  return {
    config: "file:///w/leaf.yaml",
    name: "leaf.yaml",
    folder: "file:///w",
    revision: 1,
    invalid: null,
    imagesName: "photos",
    images: { files: 4000, usable: 4000, failed: 0 },
    mos: { file: "mos.csv", rated: 40, train: 24, val: 4, test: 12, range: [1, 5] },
    stages: [],
    stale: 0,
    scorer: {
      kind: "student",
      title: say`student ${"r12"} · calibrated`,
      fingerprint: "f",
      scale: [1, 5],
      lowerIsBetter: false,
    },
    scored: { done: 4000, total: 4000, busy: false },
    job: null,
    ...over,
  };
}

export function run(over: Partial<RunSummary> = {}): RunSummary {
  return {
    id: "r12",
    config: "file:///w/leaf.yaml",
    state: "done",
    created: "2026-11-24T11:40:00Z",
    updated: "2026-11-24T11:48:00Z",
    pinned: false,
    previous: null,
    changes: [],
    ratings: 24,
    agreement: { n: 400, srcc: 0.93, plcc: 0.94 },
    evaluation: {
      run: "r12",
      split: "test",
      student: "calibrate",
      failed: 0,
      n: 120,
      srcc: 0.861,
      plcc: 0.867,
      plccLogistic: 0.87,
      krcc: 0.68,
      rmse: 0.4,
      ci95: { srcc: [0.84, 0.88], plcc: [0.85, 0.89] },
    },
    seconds: 360,
    gitCommit: null,
    settings: {},
    ...over,
  };
}

export function image(over: Partial<ImageRow> = {}): ImageRow {
  return {
    hash: "h1",
    path: "photos/a.png",
    uri: "file:///w/photos/a.png",
    width: 1024,
    height: 768,
    format: "png",
    size: 1_300_000,
    split: "train",
    score: 3.62,
    rank: { share: 0.71, of: 152 },
    teacher: null,
    mos: null,
    disagreement: null,
    thumbnail: null,
    ...over,
  };
}
