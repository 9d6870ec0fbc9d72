import { say } from "../../words/text.ts";
import { isCancelled, LeafError, throwIfCancelled } from "../base/errors.ts";

/** A piece of work that an item needs next; equal ids are one piece of work for all items that need it. */
export interface Task<T> {
  id: string;
  /** Of the tasks that are ready those of the highest rank go first. */
  rank: number;
  /** Never two of these at a time. */
  exclusive: boolean;
  /** `sharers` may grow while it runs. */
  run(sharers: readonly T[]): Promise<unknown>;
}

export interface Schedule<T> {
  /** Tasks at a time. */
  jobs: number;
  signal?: AbortSignal;
  /** What the item needs next, asked again after each of its tasks; undefined when it is done. One call at a time. */
  next(item: T): Promise<Task<T> | undefined>;
  /** The item is done, or one of its tasks or `next` threw. What this throws ends it all. */
  end(item: T, error?: unknown): Promise<void>;
}

interface Work<T> {
  sharers: T[];
  exclusive: boolean;
  ended: Promise<void>;
}

/**
 * Carries every item through its tasks, each task run once however many items share it. A task that fails ends its sharers
 * alone. Ends after the work under way has settled; throws LeafError `cancelled`, and what `end` throws.
 */
export async function schedule<T>(
  items: readonly T[],
  { jobs, signal, next, end }: Schedule<T>,
): Promise<void> {
  const undecided = new Set(items);
  const ready = new Map<T, Task<T>>();
  const running = new Map<string, Work<T>>();
  /** Tasks that have ended: with what they threw, or undefined. */
  const outcomes = new Map<string, { error: unknown } | undefined>();
  const place = new Map(items.map((item, i) => [item, i]));

  async function fail(item: T, error: unknown): Promise<void> {
    if (isCancelled(error)) throw error;
    await end(item, error);
  }

  async function decide(item: T): Promise<void> {
    undecided.delete(item);
    let task: Task<T> | undefined;
    try {
      task = await next(item);
      const before = task && outcomes.get(task.id);
      if (before) throw before.error;
      // Or it would be run for ever.
      if (task && outcomes.has(task.id)) {
        throw new LeafError("failed", say`Images, scores or labels changed while it ran.`, {
          remedy: say`Run the experiment again.`,
        });
      }
    } catch (error) {
      return fail(item, error);
    }
    if (task) ready.set(item, task);
    else await end(item);
  }

  function start({ id, exclusive, run }: Task<T>): Work<T> {
    const sharers: T[] = [];
    const work: Work<T> = { sharers, exclusive, ended: Promise.resolve() };
    running.set(id, work);
    const settled = async (failure?: { error: unknown }) => {
      outcomes.set(id, failure);
      for (const item of sharers) {
        if (failure) await fail(item, failure.error);
        else undecided.add(item);
      }
    };
    work.ended = run(sharers)
      .then(
        () => settled(),
        (error: unknown) => settled({ error }),
      )
      .finally(() => running.delete(id));
    work.ended.catch(() => {}); // Awaited below; a second failure must not count as unhandled.
    return work;
  }

  try {
    for (;;) {
      for (const item of [...undecided]) {
        throwIfCancelled(signal);
        await decide(item);
      }
      throwIfCancelled(signal);
      const order = [...ready].sort(([a, x], [b, y]) => y.rank - x.rank || place.get(a)! - place.get(b)!);
      for (const [item, task] of order) {
        let work = running.get(task.id);
        if (outcomes.has(task.id)) {
          // Ended while this item waited for a place, or for another's turn.
          ready.delete(item);
          undecided.add(item);
          continue;
        }
        const blocked = task.exclusive && [...running.values()].some(({ exclusive }) => exclusive);
        if (!work && (running.size >= jobs || blocked)) continue;
        work ??= start(task);
        work.sharers.push(item);
        ready.delete(item);
      }
      if (undecided.size > 0) continue;
      if (running.size === 0) return;
      await Promise.race([...running.values()].map(({ ended }) => ended));
    }
  } finally {
    await Promise.allSettled([...running.values()].map(({ ended }) => ended));
  }
}
