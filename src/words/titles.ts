import type { JobKind } from "../protocol/jobs.ts";
import type { PanelTab } from "../protocol/panel.ts";
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

/** The panel's tabs, in their order. */
export const tabTitles = (t: Translate): Record<PanelTab, string> => ({
  run: t("Run"),
  pairs: t("Pairs"),
  metrics: t("Metrics"),
  gallery: t("Gallery"),
  rate: t("Rate"),
  runs: t("Runs"),
});
