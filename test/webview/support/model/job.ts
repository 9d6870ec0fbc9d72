import type { JobEvent, JobSnapshot } from "../../../../src/protocol/jobs.ts";
import { rateText } from "../../../../src/words/progress.ts";
import { round, seeded } from "./random.ts";
import { curve } from "./runs.ts";

const stepsPerEpoch = 63;

export function runningJob(config: string, now: number): JobSnapshot {
  return {
    id: "job-1",
    kind: "run",
    config,
    started: new Date(now - 160_000).toISOString(),
    ended: null,
    state: "running",
    progress: {
      stage: "distill",
      step: "epoch 8 of 20",
      done: 7 * stepsPerEpoch + 22,
      total: 20 * stepsPerEpoch,
      unit: "steps",
      detail: rateText(96, "images"),
      rate: 3.1,
      secondsLeft: 254,
    },
    failure: null,
    warnings: 1,
  };
}

/** What a job told that has labelled and is in the `epochs`-th epoch of distill. */
export function jobEvents(now: number, epochs: number): JobEvent[] {
  const random = seeded(5);
  let at = now - 160_000;
  const later = (ms: number) => {
    at += ms;
    return at;
  };
  const events: JobEvent[] = [
    {
      at: later(0),
      type: "progress",
      progress: { stage: "label", step: "points", done: 0, total: 400, unit: "images" },
    },
    {
      at: later(30_000),
      type: "warning",
      message: "photos/rocket-dark-00034.jpg cannot be decoded: it is cut off. It is left out.",
    },
    {
      at: later(12_000),
      type: "stage",
      stage: "label",
      result: {
        images: 400,
        points: { labelled: 400, reused: 0, failed: 0 },
        pairs: { labelled: 1600, reused: 0, failed: 0, kept: 1412, discarded: 188 },
      },
    },
    {
      at: later(2_000),
      type: "trainer",
      stage: "distill",
      message: {
        v: 1,
        type: "hello",
        python: "3.11.2",
        torch: "2.13.0",
        device: "cuda:0",
        deviceName: "NVIDIA RTX 4090",
        worldSize: 1,
        amp: "bf16",
      },
    },
  ];
  for (const point of curve(3, 20, 0.9, { point: 0.55, pair: 0.45 }).slice(0, epochs))
    events.push(...epochEvents(point, later, random.normal));
  return events;
}

type Point = ReturnType<typeof curve>[number];

export function epochEvents(point: Point, later: (ms: number) => number, noise: () => number): JobEvent[] {
  const { epoch, loss, parts, srcc, plcc } = point;
  const told = (
    step: number,
    value: number,
    val: { n: number; srcc: number | null; plcc: number | null } | null,
  ) =>
    ({
      at: later(2_000),
      type: "trainer",
      stage: "distill",
      message: {
        v: 1,
        type: "metrics",
        epoch,
        step: (epoch - 1) * stepsPerEpoch + step,
        loss: round(value, 4),
        parts,
        lr: 0.001,
        val,
        imagesPerS: 96,
      },
    }) satisfies JobEvent;
  return [
    {
      at: later(100),
      type: "trainer",
      stage: "distill",
      message: {
        v: 1,
        type: "progress",
        phase: "train",
        epoch,
        epochs: 20,
        step: 1,
        steps: stepsPerEpoch,
        imagesPerS: 96,
      },
    },
    ...[20, 40, 60].map((step) => told(step, loss * (1 + 0.06 * noise()), null)),
    told(stepsPerEpoch, loss, { n: 80, srcc, plcc }),
    {
      at: later(300),
      type: "trainer",
      stage: "distill",
      message: { v: 1, type: "checkpoint", epoch, path: "checkpoints/last.pt" },
    },
  ];
}
