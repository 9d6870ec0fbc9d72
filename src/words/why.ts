import type { Change, StageReason } from "../protocol/project.ts";
import type { StageName } from "../protocol/results.ts";
import { marked, render } from "./text.ts";
import type { Translate } from "./translate.ts";

/** "distill.epochs: 20 → 30", or "epochs 20 → 30" under its section; of what has no value to show, that it changed. */
export function changeWords(t: Translate, { key, before, after }: Change, section?: string): string {
  if (before !== undefined || after !== undefined) {
    const values = `${valueWords(t, before)} → ${valueWords(t, after)}`;
    const name =
      section !== undefined && key.startsWith(`${section}.`) ? key.slice(section.length + 1) : `${key}:`;
    return `${name} ${values}`;
  }
  switch (key) {
    case "teacher":
      return t("the teacher changed");
    case "images":
      return t("the images changed");
    case "labels":
      return t("the labels changed");
    case "overrides":
      return t("labels were overruled");
    case "split":
      return t("the split changed");
    case "ratings":
      return t("the human scores changed");
    case "distilled":
      return t("the distilled student is another one");
    case "calibrated":
      return t("the student is another one");
    default:
      return t("{0} changed", key);
  }
}

function valueWords(t: Translate, value: unknown): string {
  return value === null || value === undefined ? t("none") : JSON.stringify(value);
}

/** The states of a stage, for translators. */
export const stateNames = [
  marked("fresh"),
  marked("stale"),
  marked("missing"),
  marked("running"),
  marked("failed"),
];

const shownChanges = 3;

/** Why a stage is stale, failed or cannot run; empty where there is nothing to say. `section`: where the stage's own is told. */
export function whyWords(t: Translate, reason: StageReason | null | undefined, section?: StageName): string {
  if (!reason) return "";
  switch (reason.kind) {
    case "changed":
      return reason.changes
        .slice(0, shownChanges)
        .map((change) => changeWords(t, change, section))
        .join(", ");
    case "upstream":
      return t("{0} is {1}", reason.stage, t(reason.state));
    case "studentGone":
      return t("its student is gone");
    case "noLabels":
      return t("{0} holds no label of this teacher", reason.file);
    case "unknown":
      return t("what it was made with is not known any more");
    case "noHumanScores":
    case "blocked":
    case "failed":
      return render(reason.message, t);
  }
}
