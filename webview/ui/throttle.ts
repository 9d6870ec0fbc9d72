/** Calls `work` at once, then at most once in `everyMs` while asked more often; the last ask is never lost. */
export function throttled(everyMs: number, work: () => void): { ask(): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = Number.NEGATIVE_INFINITY;
  const run = () => {
    timer = undefined;
    last = performance.now();
    work();
  };
  return {
    ask() {
      if (timer !== undefined) return;
      timer = setTimeout(run, Math.max(0, last + everyMs - performance.now()));
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
