import type { StageName } from "../../src/protocol/results.ts";
import type { Host } from "../host.ts";

type Text = Host["text"];

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
