/** How often the server may die within which time before it is left dead. */
export const crashLimit = { crashes: 5, withinMs: 3 * 60_000 };

/** Counts crashes; says whether the server is to be started once more. */
export function crashCounter(limit = crashLimit, now: () => number = Date.now) {
  let times: number[] = [];
  return {
    /** Notes a crash. False: too many of late. */
    restartAfterCrash(): boolean {
      const at = now();
      times = [...times.filter((one) => at - one < limit.withinMs), at];
      return times.length < limit.crashes;
    },
    forget() {
      times = [];
    },
  };
}
