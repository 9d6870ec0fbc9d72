import type { JobKind } from "../../src/protocol/jobs.ts";
import type { Progress } from "../../src/protocol/progress.ts";
import type {
  CalibrateResult,
  DistillResult,
  EvaluateResult,
  LabelResult,
  StageName,
} from "../../src/protocol/results.ts";
import type { Host } from "../host.ts";
import { count, figure, interval } from "../ui/format.ts";

type Text = Host["text"];

/** What a stage or a job is called, here and in the command palette. */
export function stageTitle(text: Text, stage: Progress["stage"] | JobKind): string {
  switch (stage) {
    case "index":
      return text("Read images");
    case "label":
      return text("Label with Teacher");
    case "distill":
      return text("Distill Student");
    case "calibrate":
      return text("Calibrate Student");
    case "evaluate":
      return text("Evaluate Student");
    case "score":
      return text("Score images");
    case "env":
      return text("Set Up Training Environment");
    case "run":
      return text("Run Pipeline");
    case "experiment":
      return text("Run Experiment");
  }
}

/** What a stage does, for one who sees it for the first time. */
export function stagePurpose(text: Text, stage: StageName): string {
  switch (stage) {
    case "label":
      return text("The teacher judges each image by itself and in pairs.");
    case "distill":
      return text("A small student learns from those judgements; no human score is used.");
    case "calibrate":
      return text("A few human scores (MOS) move the student onto your scale.");
    case "evaluate":
      return text("The student is compared with human scores that it has not seen.");
  }
}

export function resultInWords(text: Text, stage: StageName, result: unknown): string {
  switch (stage) {
    case "label": {
      const { images, pairs } = result as LabelResult;
      return text(
        "{0} images, {1} pairs ({2} discarded)",
        count(images),
        count(pairs.kept + pairs.discarded),
        count(pairs.discarded),
      );
    }
    case "distill": {
      const { teacherAgreement: agreement } = result as DistillResult;
      return text("Agrees with the teacher: SRCC {0} (n = {1})", figure(agreement.srcc), count(agreement.n));
    }
    case "calibrate": {
      const { images, headOnly } = result as CalibrateResult;
      return headOnly
        ? text("{0} human scores, head only", count(images))
        : text("{0} human scores", count(images));
    }
    case "evaluate": {
      const { srcc, plcc, n, ci95 } = result as EvaluateResult;
      return `SRCC ${figure(srcc)} ${interval(ci95.srcc)} · PLCC ${figure(plcc)} · n = ${count(n)}`;
    }
  }
}
