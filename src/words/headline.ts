import type { HeadFacts } from "../protocol/head.ts";
import type { RunSummary } from "../protocol/project.ts";
import type { CalibrateResult, EvaluateResult, StageName, ToldLabels } from "../protocol/results.ts";
import { count, figure, percent, withInterval } from "./figure.ts";
import type { Translate } from "./translate.ts";

interface Trained {
  images?: number;
  headOnly?: boolean;
  from?: CalibrateResult["from"];
  method?: CalibrateResult["method"];
  head?: CalibrateResult["head"];
  compared?: CalibrateResult["compared"];
  teacherCheck?: CalibrateResult["teacherCheck"];
  teacherAgreement?: Agreement;
}
type Agreement = { srcc: number | null; n: number };
type Evaluated = Pick<EvaluateResult, "srcc" | "plcc" | "n" | "ci95">;

/** A stage's result in one line. */
export function headline(t: Translate, stage: StageName, result: unknown): string {
  switch (stage) {
    case "label":
      return labelled(t, result as ToldLabels);
    case "distill":
      return agreement(t, (result as Trained).teacherAgreement);
    case "calibrate":
      return calibrated(t, result as Trained);
    case "evaluate":
      return evaluated(result as Evaluated);
  }
}

/** A run in one line: what came of it, or the state it is in; empty where there is nothing to tell. */
export function runHeadline(t: Translate, { state, evaluation, agreement: agrees }: RunSummary): string {
  if (state === "running") return t("running");
  if (state === "failed") return t("failed");
  if (evaluation) return evaluated(evaluation);
  if (agrees) return agreement(t, agrees);
  return state === "cancelled" ? t("cancelled") : "";
}

function labelled(t: Translate, { images, pairs, points, positionBias }: ToldLabels): string {
  const failed = points.failed > 0 ? [t("{0} failed", count(points.failed))] : [];
  const { kept, discarded } = pairs;
  const notes = discarded === undefined ? [] : [t("{0} discarded", count(discarded))];
  // A teacher that leans to the first image is worth knowing wherever the stage is told.
  if (positionBias && positionBias.flipped >= 0.01)
    notes.push(t("the order decides {0}", percent(positionBias.flipped)));
  const judged = t("{0} pairs", count(kept + (discarded ?? 0)));
  const noted = notes.length > 0 ? ` (${notes.join(", ")})` : "";
  return [t("{0} images", count(images)), ...failed, judged + noted].join(", ");
}

/** "agrees with the teacher: SRCC 0.930, n = 120". */
function agreement(t: Translate, { srcc, n }: Agreement = { srcc: null, n: 0 }): string {
  return t("agrees with the teacher: SRCC {0}, n = {1}", figure(srcc), count(n));
}

function calibrated(t: Translate, result: Trained): string {
  const { images = 0, headOnly, from, teacherCheck, method, head, compared } = result;
  const parts = [t("{0} human scores", count(images))];
  if (compared)
    parts.push(
      t(
        "on ratings left out SRCC {0} in closed form, {1} fine-tuned",
        figure(compared.closedForm),
        figure(compared.fineTuned),
      ),
    );
  if (method === "closed-form" && head) return [...parts, ...closedForm(t, head)].join(", ");
  if (headOnly) parts.push(t("head only"));
  if (from === "backbone")
    parts.push(
      teacherCheck?.verdict === "chance"
        ? t("from the backbone: the teacher is at chance on them")
        : t("from the backbone alone"),
    );
  return parts.join(", ");
}

/** "closed form on the distilled student's features, penalty 0.31, expected SRCC 0.702 [0.621, 0.774], a score ± 0.41 of 5 grades". */
function closedForm(t: Translate, { networks, penalty, cv, noise }: HeadFacts): string[] {
  const on =
    networks.length > 1
      ? t("closed form on features of the distilled student and of the network as it comes")
      : networks[0] === "distilled"
        ? t("closed form on the distilled student's features")
        : t("closed form on features of the network as it comes");
  return [
    on,
    t("penalty {0}", figure(penalty, 2)),
    t("expected SRCC {0}", withInterval(cv.srcc, cv.ci95)),
    t("a rating differs by ± {0} of five grades", figure(noise, 2)),
  ];
}

/** "SRCC 0.861 [0.842, 0.879] · PLCC 0.867 · n = 120". */
function evaluated({ srcc, plcc, n, ci95 }: Evaluated): string {
  return `SRCC ${withInterval(srcc, ci95.srcc)} · PLCC ${figure(plcc)} · n = ${count(n)}`;
}
