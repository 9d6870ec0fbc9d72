import type { JobKind } from "../protocol/jobs.ts";
import type { Progress } from "../protocol/progress.ts";
import type { Translate } from "./translate.ts";

/** What a stage or a job is called wherever it is shown: as in the command palette. */
export function workTitle(t: Translate, work: Progress["stage"] | JobKind): string {
  switch (work) {
    case "index":
      return t("Read images");
    case "label":
      return t("Label with Teacher");
    case "distill":
      return t("Distill Student");
    case "calibrate":
      return t("Calibrate Student");
    case "evaluate":
      return t("Evaluate Student");
    case "score":
      return t("Score images");
    case "env":
      return t("Set Up Training Environment");
    case "run":
      return t("Run Pipeline");
    case "experiment":
      return t("Run Experiment");
  }
}
