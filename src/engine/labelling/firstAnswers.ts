import type { ItemFailure } from "../../protocol/failures.ts";
import { LeafError } from "../base/errors.ts";
import { failureLine } from "../failures/words.ts";

export type Judged = "images" | "pairs";

/** Watches whether any answer is good; once one is, it never says no again. */
export interface FirstAnswers {
  /** Answers in the order they come. */
  tell(ok: boolean): void;
  /** So many came, and none was good. */
  allFailed(): boolean;
}

export function firstAnswers(limit: number | null): FirstAnswers {
  let [failed, good] = [0, false];
  return {
    tell(ok) {
      if (ok) good = true;
      else failed++;
    },
    allFailed: () => limit !== null && !good && failed >= limit,
  };
}

const remedy =
  "Look at one question with `leaf label --dry-run 1`, and check `teacher:` in the config. What was judged is kept.";

/** The teacher's first answers all failed: the rest would most likely fail too. */
export function stoppedEarly(what: Judged, count: number, example: ItemFailure | undefined): LeafError {
  return new LeafError(
    "failed",
    `The teacher's first ${count} answers about ${what} all failed, so LEAF asks no more.${forExample(example)}`,
    { remedy: `${remedy} With \`label.stopAfterFailures: null\` all are asked.` },
  );
}

/** All were asked, in vain. */
export function noneJudged(what: Judged, count: number, example: ItemFailure | undefined): LeafError {
  const all =
    count === 1 ? `the only ${what === "images" ? "image" : "pair"}` : `none of the ${count} ${what}`;
  const judged = count === 1 ? `The teacher could not judge ${all}` : `The teacher could judge ${all}`;
  return new LeafError("failed", `${judged}.${forExample(example)}`, { remedy });
}

function forExample(example: ItemFailure | undefined): string {
  return example ? ` For example ${failureLine(example)}${/[.!?]$/.test(example.reason) ? "" : "."}` : "";
}
