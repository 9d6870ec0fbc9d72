import type { FailureSummary } from "./failures.ts";
import type { Failure, FailureWords } from "./jobs.ts";

/** What a command prints with `--json` where it fails, and nothing else; also the result as far as there is one. */
export interface ErrorDocument {
  error: {
    kind: Failure["code"];
    /** One sentence. */
    message: string;
    file?: string;
    line?: number;
    column?: number;
    /** What can be done about it. */
    remedy?: string;
    words?: FailureWords;
  };
  /** The images, pairs or rows that failed, where these are why: in short, and all of them. */
  failures?: FailureSummary;
  failed?: unknown;
}
