import type { JobEvent } from "../../src/protocol/jobs.ts";
import type { StageName } from "../../src/protocol/results.ts";
import type { CurvePoint, RunCurves } from "../../src/protocol/server.ts";
import type { TrainerMessage } from "../../src/protocol/trainer.ts";

type Hello = TrainerMessage & { type: "hello" };
export type TrainedStage = "distill" | "calibrate";

export interface Training {
  /** One for each epoch: mean losses, and what validation said. */
  epochs: CurvePoint[];
  /** Losses between the ends of epochs; x in epochs. */
  windows: [x: number, loss: number][];
  epochsTotal: number | null;
  stepsPerEpoch: number | null;
  hello: Hello | null;
  imagesPerS: number | null;
  /** The epoch that was exported. */
  bestEpoch: number | null;
}

export interface JobView {
  training: Partial<Record<TrainedStage, Training>>;
  results: Partial<Record<StageName, unknown>>;
}

export const emptyJobView = (): JobView => ({ training: {}, results: {} });

/** A run that ended, from what is kept of it. */
export function viewOfCurves(curves: RunCurves): JobView {
  const view = emptyJobView();
  for (const stage of ["distill", "calibrate"] as const)
    if (curves[stage].length > 0) view.training[stage] = { ...emptyTraining(), epochs: curves[stage] };
  return view;
}

/** Takes in what a job told; events come once each and in order. */
export function addEvents(view: JobView, events: readonly JobEvent[]): void {
  for (const event of events) {
    if (event.type === "stage") view.results[event.stage] = event.result;
    if (event.type === "trainer") {
      view.training[event.stage] ??= emptyTraining();
      addMessage(view.training[event.stage]!, event.message);
    }
  }
}

const emptyTraining = (): Training => ({
  epochs: [],
  windows: [],
  epochsTotal: null,
  stepsPerEpoch: null,
  hello: null,
  imagesPerS: null,
  bestEpoch: null,
});

function addMessage(training: Training, message: TrainerMessage): void {
  switch (message.type) {
    case "hello":
      training.hello = message;
      break;
    case "progress":
      training.epochsTotal = message.epochs;
      if (message.phase === "train") {
        training.stepsPerEpoch = message.steps;
        if (message.imagesPerS) training.imagesPerS = message.imagesPerS;
      }
      break;
    case "metrics":
      if (message.imagesPerS) training.imagesPerS = message.imagesPerS;
      addMetrics(training, message);
      break;
    case "done":
      training.bestEpoch = message.bestEpoch;
      training.epochsTotal = message.epochs;
      break;
  }
}

/** Losses between the ends of epochs, where there are any: of windows longer than an epoch a line would only cross the curve. */
export function lossesWithinEpochs({ windows, epochs }: Training): Training["windows"] {
  return windows.length > epochs.length ? windows : [];
}

function addMetrics(training: Training, message: TrainerMessage & { type: "metrics" }): void {
  const { epoch, step, loss, parts, val } = message;
  const ends = val !== null || (training.stepsPerEpoch !== null && step === epoch * training.stepsPerEpoch);
  if (ends) {
    training.stepsPerEpoch ??= step / epoch;
    const point = { epoch, loss, parts, srcc: val?.srcc ?? null, plcc: val?.plcc ?? null };
    // A job that was taken up again tells an epoch twice.
    training.epochs = [...training.epochs.filter((one) => one.epoch !== epoch), point];
  } else if (training.stepsPerEpoch !== null) {
    training.windows.push([step / training.stepsPerEpoch, loss]);
  }
}
