import { throwIfCancelled } from "./errors.ts";

type AnyIterable<T> = Iterable<T> | AsyncIterable<T>;

/**
 * Applies `work` to at most `concurrency` items at a time and yields the results in input order. Reads ahead no further than
 * that, so memory is bounded. The first error ends it, after the work in flight has settled.
 */
export async function* mapOrdered<T, R>(
  items: AnyIterable<T>,
  concurrency: number,
  work: (item: T) => Promise<R>,
  signal?: AbortSignal,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      throwIfCancelled(signal);
      const promise = work(item);
      // Awaited in order below; until then a failure must not count as unhandled.
      promise.catch(() => {});
      running.push(promise);
      if (running.length >= concurrency) yield await running.shift()!;
    }
    while (running.length > 0) {
      throwIfCancelled(signal);
      yield await running.shift()!;
    }
  } finally {
    await Promise.allSettled(running);
  }
}

/** Applies `work` to every item, at most `concurrency` at a time, in no fixed order. The first error ends it. */
export async function forEachBounded<T>(
  items: AnyIterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  try {
    for await (const item of items) {
      throwIfCancelled(signal);
      if (failure) break;
      const promise = work(item).then(
        () => {
          running.delete(promise);
        },
        (error: unknown) => {
          running.delete(promise);
          failure ??= { error };
        },
      );
      running.add(promise);
      if (running.size >= concurrency) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
  if (failure) throw failure.error;
  throwIfCancelled(signal);
}
