import type { Translate } from "./translate.ts";

/** A student as it is named beside its scores: "the calibrated student of r3 (leaf.yaml)". */
export function studentWords(
  t: Translate,
  {
    stage,
    run,
    config,
    folder,
  }: { stage: string; run: string | null; config: string | null; folder?: string },
): string {
  if (run === null || config === null) return t("the student in {0}", folder ?? "");
  return stage === "calibrate"
    ? t("the calibrated student of {0} ({1})", run, config)
    : t("the distilled student of {0} ({1}), not calibrated", run, config);
}
