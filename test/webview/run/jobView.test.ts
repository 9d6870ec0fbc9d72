import { expect, test } from "vitest";
import type { TrainerMessage } from "../../../src/protocol/trainer.ts";
import { addEvents, emptyJobView, lossesWithinEpochs } from "../../../webview/run/jobView.ts";

test.each([
  ["several windows in an epoch are drawn between its ends", 250, 3, [0.4, 0.8, 1.2, 1.6, 2.4, 2.8]],
  ["windows longer than an epoch are not drawn: the line would cross the curve", 30, 9, []],
])("%s", (_, steps, epochs, drawn) => {
  const view = emptyJobView();
  const metrics = (step: number, val: object | null): TrainerMessage =>
    ({ type: "metrics", epoch: Math.ceil(step / steps), step, loss: 1, parts: {}, val }) as TrainerMessage;
  const progress = { type: "progress", phase: "train", epochs, steps, step: 0 } as unknown as TrainerMessage;
  const told = [progress];
  for (let step = 1; step <= steps * epochs; step++) {
    if (step % steps === 0) told.push(metrics(step, { srcc: 0.5, plcc: 0.5 }));
    else if (step % 100 === 0) told.push(metrics(step, null));
  }
  addEvents(
    view,
    told.map((message) => ({ type: "trainer", stage: "distill", message }) as never),
  );
  expect(view.training.distill!.epochs).toHaveLength(epochs);
  expect(lossesWithinEpochs(view.training.distill!).map(([x]) => x)).toEqual(drawn);
});
