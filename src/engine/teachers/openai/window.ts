/** How many requests one endpoint gets at once: as many as pay. */
export interface Window {
  /** At most this many under way. */
  readonly limit: number;
  /** A request ended well; `full` where the window was used up and more were waiting. `now` in ms. */
  onAnswer(now: number, full: boolean): void;
  /** The endpoint asked to wait. */
  onBusy(): void;
}

const first = 4;
/** More throughput than noise: doubling the window must bring at least this factor. */
const worthClimbing = 1.15;
/** Measured windows between two tries to widen by a quarter. */
const steadyFor = 20;
const worthWidening = 1.08;

/**
 * Doubles the window while throughput grows with it, goes back one step when it does not, and tries a little more now and then. Halves it when
 * the endpoint is busy, and then climbs by quarters. Throughput counts only over periods in which the window was full.
 */
export function createWindow(max: number): Window {
  let limit = Math.min(first, max);
  let phase: "climb" | "hold" = "climb";
  /** Best throughput and the window that it was measured with. */
  let settled = { limit, throughput: 0 };
  let step = 2;
  let held = 0;
  let answers = 0;
  let since: number | undefined;

  function restart(now?: number): void {
    answers = 0;
    since = now;
  }

  function measured(throughput: number): void {
    if (phase === "hold") {
      settled = { limit, throughput };
      if (++held < steadyFor || limit >= max) return;
      held = 0;
      phase = "climb";
      step = 1.25;
      widen();
      return;
    }
    const wanted = step === 2 ? worthClimbing : worthWidening;
    if (throughput >= settled.throughput * wanted) {
      settled = { limit, throughput };
      if (limit >= max) phase = "hold";
      else widen();
      return;
    }
    limit = settled.limit;
    phase = "hold";
    held = 0;
  }

  function widen(): void {
    limit = Math.min(max, Math.max(limit + 1, Math.floor(limit * step)));
  }

  return {
    get limit() {
      return limit;
    },
    onAnswer(now, full) {
      if (!full || since === undefined) {
        restart(full ? now : undefined);
        return;
      }
      // The first round after a change still has the old window's pace.
      if (++answers < 3 * limit) {
        if (answers === limit) since = now;
        return;
      }
      const seconds = (now - since) / 1000;
      const throughput = seconds > 0 ? (2 * limit) / seconds : Number.POSITIVE_INFINITY;
      restart(now);
      measured(throughput);
    },
    onBusy() {
      limit = Math.max(1, Math.floor(limit / 2));
      settled = { limit, throughput: 0 };
      phase = "hold";
      held = 0;
      step = 1.25;
      restart();
    },
  };
}
