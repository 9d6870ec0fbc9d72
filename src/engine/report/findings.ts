import type { EvaluateResult } from "../../protocol/results.ts";
import type { Finding } from "./data.ts";

/** Known ways to fail, in the words that the report puts above their figures. */
const titles: Record<NonNullable<EvaluateResult["findings"]>[number]["code"], string> = {
  nonlinear: "Ranks agree, values do not",
  belowTeacher: "Below its teacher",
  calibrationHurts: "Calibration made it worse",
  overfitCalibration: "Calibration images learnt by heart",
  collapsed: "All scores alike",
  poorTransfer: "Worse on other datasets",
};

/** What an evaluation found of its own figures. */
export function evaluationFindings(evaluation: EvaluateResult | null): Finding[] {
  return (evaluation?.findings ?? []).map(({ code, message, remedy }) => ({
    level: "warning",
    title: titles[code] ?? code,
    detail: message,
    remedy,
  }));
}
