import type { Progress } from "../protocol/progress.ts";
import { terminalLine } from "./terminalText.ts";

const width = 24;
const linesEveryMs = 2000;
const drawEveryMs = 80;

/** Seconds as people say them: 42 s, 3 min 05 s, 2 h 07 min. */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const pad = (n: number) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)} min ${pad(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${pad(Math.floor((s % 3600) / 60))} min`;
}

/** One line of progress: what, how far, how fast, how long still. */
export function formatProgress(p: Progress, elapsedS: number, doneAtStart = 0): string {
  const rate = elapsedS > 0.5 ? (p.done - doneAtStart) / elapsedS : 0;
  const parts = [`${p.stage}: ${p.step}`];
  if (p.total !== undefined) parts.push(`${p.done}/${p.total} ${p.unit}`);
  else if (p.done > 0) parts.push(`${p.done} ${p.unit}`);
  if (rate > 0) parts.push(`${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`);
  if (rate > 0 && p.total !== undefined && p.total > p.done)
    parts.push(`${formatDuration((p.total - p.done) / rate)} left`);
  if (p.detail) parts.push(p.detail);
  return parts.join(" · ");
}

/** Progress on stderr: a bar that redraws on a terminal, a line now and then elsewhere. */
export function progressReporter(stream: NodeJS.WriteStream): {
  report: (p: Progress) => void;
  end: () => void;
} {
  let current = "";
  let startedAt = 0;
  let doneAtStart = 0;
  let shownAt = performance.now();
  let drawn = false;
  return {
    report(p) {
      const now = performance.now();
      const name = `${p.stage} ${p.step.replace(/\d+/g, "")}`;
      const first = name !== current;
      if (first) {
        current = name;
        startedAt = now;
        doneAtStart = p.done;
      }
      // A stream that is over in no time is not worth a line.
      if (p.total === undefined && !stream.isTTY && now - shownAt < linesEveryMs) return;
      const last = p.total !== undefined && p.done >= p.total;
      if (!first && !last && now - shownAt < (stream.isTTY ? drawEveryMs : linesEveryMs)) return;
      if (!first && last && shownAt === now) return;
      shownAt = now;
      const text = terminalLine(formatProgress(p, (now - startedAt) / 1000, doneAtStart));
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
