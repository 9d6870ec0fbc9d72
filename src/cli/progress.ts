import { progressTimer } from "../engine/base/progressTimer.ts";
import type { TimedProgress } from "../protocol/jobs.ts";
import type { Progress } from "../protocol/progress.ts";
import { progressDetails, progressLine } from "../words/progress.ts";
import { t } from "./locale.ts";
import { terminalLine } from "./terminalText.ts";

const width = 24;
const linesEveryMs = 2000;
const drawEveryMs = 80;

/** One line of progress: what, how far, how long still, how fast. */
function lineOf(progress: TimedProgress): string {
  const parts = [progressLine(t, progress), progressDetails(t, progress)];
  return `${progress.stage}: ${parts.filter(Boolean).join(" · ")}`;
}

/** Progress on stderr: a bar that redraws on a terminal, a line now and then elsewhere. */
export function progressReporter(stream: NodeJS.WriteStream): {
  report: (p: Progress) => void;
  end: () => void;
} {
  let current = "";
  const timed = progressTimer();
  let shownAt = performance.now();
  let drawn = false;
  return {
    report(p) {
      const now = performance.now();
      const progress = timed(p, now);
      const name = `${p.stage} ${p.step.replace(/\d+/g, "")}`;
      const first = name !== current;
      current = name;
      // A stream that is over in no time is not worth a line.
      if (p.total === undefined && !stream.isTTY && now - shownAt < linesEveryMs) return;
      const last = p.total !== undefined && p.done >= p.total;
      if (!first && !last && now - shownAt < (stream.isTTY ? drawEveryMs : linesEveryMs)) return;
      if (!first && last && shownAt === now) return;
      shownAt = now;
      const text = terminalLine(lineOf(progress));
      if (!stream.isTTY) {
        stream.write(`${text}\n`);
        return;
      }
      const filled = p.total ? Math.round((width * Math.min(p.done, p.total)) / p.total) : 0;
      const bar = p.total ? `${"█".repeat(filled)}${"░".repeat(width - filled)} ` : "";
      stream.write(`\r\x1b[K${(bar + text).slice(0, Math.max(20, (stream.columns || 100) - 1))}`);
      drawn = true;
    },
    end() {
      if (drawn) stream.write("\n");
      drawn = false;
    },
  };
}
