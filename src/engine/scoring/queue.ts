/** What comes first: a person looks at it now, a person scrolls past it, nobody waits for it. */
export type Lane = "now" | "picture" | "background";

/** How many pieces of work of a lane are under way at a time. */
const slots: Readonly<Record<Lane, number>> = { now: 4, picture: 2, background: 2 };

export interface QueuedWork<T> {
  lane: Lane;
  items: readonly T[];
  /** How many of the items were handed out. */
  next: number;
}

/** One item, and the work it belongs to. */
export interface Taken<W extends QueuedWork<unknown>> {
  work: W;
  item: W["items"][number];
}

/** Work in its lanes. Pictures go newest first, as a person scrolls; the others in their order. */
export interface WorkQueue<W extends QueuedWork<unknown>> {
  add(work: W): void;
  drop(work: W): void;
  /** The next item, given how many of each lane are under way; undefined: wait. */
  take(underWay: Readonly<Record<Lane, number>>): Taken<W> | undefined;
  all(): W[];
}

export function workQueue<W extends QueuedWork<unknown>>(): WorkQueue<W> {
  const lanes: Record<Lane, W[]> = { now: [], picture: [], background: [] };

  function takeFrom(lane: Lane): Taken<W> | undefined {
    const queue = lanes[lane];
    for (;;) {
      const at = lane === "picture" ? queue.length - 1 : 0;
      const work = queue[at];
      if (!work) return undefined;
      if (work.next < work.items.length) return { work, item: work.items[work.next++]! };
      queue.splice(at, 1);
    }
  }

  return {
    add: (work) => void lanes[work.lane].push(work),
    drop(work) {
      const at = lanes[work.lane].indexOf(work);
      if (at >= 0) lanes[work.lane].splice(at, 1);
    },
    take(underWay) {
      for (const lane of ["now", "picture"] as const) {
        if (underWay[lane] >= slots[lane]) continue;
        const taken = takeFrom(lane);
        if (taken) return taken;
      }
      // The background waits while anything else is under way.
      const quiet = underWay.now + underWay.picture === 0;
      return quiet && underWay.background < slots.background ? takeFrom("background") : undefined;
    },
    all: () => Object.values(lanes).flat(),
  };
}
