import type { ItemFailure } from "../../protocol/failures.ts";
import type { TextValue } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
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

/** So many of the last answers show a rate. */
export const lastAnswers = 40;

/** Watches how many of the last answers failed. */
export interface FailureRate {
  tell(ok: boolean): void;
  /** So many did, where that is too large a share; undefined where it is not, or was so when the run began: then it has been told. */
  tooMany(): number | undefined;
}

/** `before`: whether each of the answers before this run was good, the newest first. */
export function failureRate(limit: number | null | undefined, before: readonly boolean[]): FailureRate {
  const failuresIn = (some: readonly boolean[]) => some.filter((ok) => !ok).length;
  const passes = (some: readonly boolean[]) =>
    typeof limit === "number" && some.length >= lastAnswers && failuresIn(some) > limit * lastAnswers;
  const isKnown = passes(before);
  const last: boolean[] = [];
  return {
    tell(ok) {
      last.push(ok);
      if (last.length > lastAnswers) last.shift();
    },
    tooMany: () => (!isKnown && passes(last) ? failuresIn(last) : undefined),
  };
}

/** Many of the answers fail, but not all: whether it is worth going on is the user's to say. */
export function paused(what: Judged, failed: number, example: ItemFailure | undefined): LeafError {
  const message =
    what === "images"
      ? say`${failed} of the teacher's last ${lastAnswers} answers about images failed, so LEAF paused.${forExample(example)}`
      : say`${failed} of the teacher's last ${lastAnswers} answers about pairs failed, so LEAF paused.${forExample(example)}`;
  return new LeafError("failed", message, {
    remedy: say`Run \`leaf label\` again to go on, or look at what failed first. All answers so far are kept.`,
  });
}

const remedy = say`Look at one question with \`leaf label --dry-run 1\`, and check \`teacher:\` in the config. What was judged is kept.`;

/** The teacher's first answers all failed: the rest would most likely fail too. */
export function stoppedEarly(what: Judged, count: number, example: ItemFailure | undefined): LeafError {
  const message =
    what === "images"
      ? say`The teacher's first ${count} answers about images all failed, so LEAF asks no more.${forExample(example)}`
      : say`The teacher's first ${count} answers about pairs all failed, so LEAF asks no more.${forExample(example)}`;
  return new LeafError("failed", message, {
    remedy: say`${remedy} With \`label.stopAfterFailures: null\` all are asked.`,
  });
}

/** All were asked, in vain. */
export function noneJudged(what: Judged, count: number, example: ItemFailure | undefined): LeafError {
  const judged = {
    images:
      count === 1
        ? say`The teacher could not judge the only image`
        : say`The teacher could judge none of the ${count} images`,
    pairs:
      count === 1
        ? say`The teacher could not judge the only pair`
        : say`The teacher could judge none of the ${count} pairs`,
  };
  return new LeafError("failed", say`${judged[what]}.${forExample(example)}`, { remedy });
}

function forExample(example: ItemFailure | undefined): TextValue {
  return example ? say` For example ${failureLine(example)}${/[.!?]$/.test(example.reason) ? "" : "."}` : "";
}
