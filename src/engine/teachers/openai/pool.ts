import type { Text } from "../../../protocol/text.ts";
import { quoted, say } from "../../../words/text.ts";
import { shownUrl } from "../../base/endpoint.ts";
import { LeafError, throwIfCancelled } from "../../base/errors.ts";
import { RequestFailure } from "./failures.ts";
import { createWindow, type Window } from "./window.ts";

/** An endpoint that takes work, and what was found out about it. */
export interface Endpoint<C> {
  url: string;
  capabilities: C;
}

export interface PoolOptions<C> {
  urls: readonly string[];
  /** Most requests under way at one endpoint. */
  concurrency: number;
  /** How long to go on while no endpoint answers. */
  patienceMs: number;
  /**
   * Asked before an endpoint takes work. With what is known of it where it failed several times in a row, and is to show that it answers at
   * all; without where nobody answered there, as another server may have come up. Throws RequestFailure or LeafError.
   */
  probe(url: string, known: C | undefined, signal: AbortSignal): Promise<C>;
  onNote?: (message: Text) => void;
}

export interface Pool<C> {
  /**
   * Does a piece of work at the next free endpoint, again and elsewhere where that can help. Throws RequestFailure `image` where it
   * cannot, and LeafError for what ends the run: then no more work is begun, and what is under way ends by itself.
   */
  use<T>(work: (endpoint: Endpoint<C>) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** The first endpoint that is ready. */
  ready(signal?: AbortSignal): Promise<Endpoint<C>>;
  close(): void;
}

interface Member<C> {
  url: string;
  capabilities: C | undefined;
  window: Window;
  underWay: number;
  state: "away" | "probing" | "ready";
  restsUntil: number;
  /** Temporary failures since the last answer. */
  failures: number;
  /** Rests since the last answer. */
  rests: number;
  timer: NodeJS.Timeout | undefined;
}

interface Waiter<C> {
  resolve(member: Member<C>): void;
  reject(error: unknown): void;
}

/** Tries of one image at endpoints that are otherwise well. */
const tries = 5;
/** So many temporary failures in a row are the endpoint's fault, not the images'. */
const failuresInRow = 8;
const noteEveryMs = 30_000;

export function createPool<C>(options: PoolOptions<C>): Pool<C> {
  const members = options.urls.map(
    (url): Member<C> => ({
      url,
      capabilities: undefined,
      window: createWindow(options.concurrency),
      underWay: 0,
      state: "away",
      restsUntil: 0,
      failures: 0,
      rests: 0,
      timer: undefined,
    }),
  );
  const waiting = new Set<Waiter<C>>();
  const closing = new AbortController();
  let over: LeafError | undefined;
  /** Since when no endpoint takes work. */
  let trouble: { since: number; reason: Text; timer: NodeJS.Timeout } | undefined;
  let notedAt = Number.NEGATIVE_INFINITY;

  const isAwake = (member: Member<C>) => member.state === "ready" && member.restsUntil <= performance.now();

  function end(error: LeafError): void {
    over ??= error;
    for (const waiter of waiting) waiter.reject(over);
    waiting.clear();
    for (const member of members) clearTimeout(member.timer);
    clearTimeout(trouble?.timer);
  }

  function hand(): void {
    while (waiting.size > 0) {
      const free = members.filter((one) => isAwake(one) && one.underWay < one.window.limit);
      if (free.length === 0) return;
      const load = (one: Member<C>) => one.underWay / one.window.limit;
      const member = free.reduce((best, one) => (load(one) < load(best) ? one : best));
      const [waiter] = waiting;
      waiting.delete(waiter!);
      member.underWay++;
      waiter!.resolve(member);
    }
  }

  function acquire(signal?: AbortSignal): Promise<Member<C>> {
    return new Promise((resolve, reject) => {
      const cancelled = () => reject(new LeafError("cancelled", say`Cancelled.`));
      if (signal?.aborted) return cancelled();
      if (over) return reject(over);
      const abort = () => {
        waiting.delete(waiter);
        cancelled();
      };
      const settle = () => signal?.removeEventListener("abort", abort);
      const waiter: Waiter<C> = {
        resolve(member) {
          settle();
          resolve(member);
        },
        reject(error) {
          settle();
          reject(error);
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      waiting.add(waiter);
      for (const member of members) if (member.state === "away" && !member.timer) void probe(member);
      hand();
    });
  }

  async function probe(member: Member<C>): Promise<void> {
    member.state = "probing";
    try {
      member.capabilities = await options.probe(member.url, member.capabilities, closing.signal);
      member.state = "ready";
      member.failures = 0;
      member.rests = 0;
      wellAgain(member);
      hand();
    } catch (error) {
      if (closing.signal.aborted) return;
      member.state = "away";
      if (error instanceof RequestFailure) {
        if (error.kind === "down") member.capabilities = undefined;
        rest(member, error);
      } else
        end(
          error instanceof LeafError
            ? error
            : new LeafError("failed", quoted(String(error)), { cause: error }),
        );
    }
  }

  /** Leaves an endpoint alone for a while: as long as it wishes, or with full jitter, ever longer. */
  function rest(member: Member<C>, failure: RequestFailure): void {
    const longest = Math.min(30_000, 500 * 2 ** member.rests++);
    const ms = failure.waitMs ?? 100 + Math.random() * longest;
    member.restsUntil = performance.now() + ms;
    clearTimeout(member.timer);
    member.timer = setTimeout(() => {
      member.timer = undefined;
      // Its clock is another than that of the day, which may lag behind it: else nobody would look again.
      member.restsUntil = 0;
      if (member.state === "away") void probe(member);
      else hand();
    }, ms + 1);
    if (over || members.some(isAwake)) return;
    begunTrouble(member, failure);
  }

  function begunTrouble(member: Member<C>, failure: RequestFailure): void {
    const reason = say`${shownUrl(member.url)} does not answer (${failure.words})`;
    const since = trouble?.since ?? performance.now();
    clearTimeout(trouble?.timer);
    const left = Math.max(0, since + options.patienceMs - performance.now());
    const timer = setTimeout(() => {
      trouble = undefined;
      if (waiting.size === 0 && members.every((one) => one.underWay === 0)) return;
      end(
        new LeafError(
          "environment",
          say`${reason}${members.length > 1 ? say`, nor does any other endpoint` : ""}.`,
          {
            remedy: say`Start the server or check \`teacher.endpoint\`, and run again; finished labels are kept.`,
          },
        ),
      );
    }, left);
    trouble = { since, reason, timer };
    if (left > 0 && performance.now() - notedAt > noteEveryMs) {
      notedAt = performance.now();
      options.onNote?.(say`${reason}; trying for ${Math.ceil(left / 1000)} s more.`);
    }
  }

  /** After a request or a probe got an answer. The end of a rest alone shows nothing: the clock of patience runs on. */
  function wellAgain(member: Member<C>): void {
    if (!trouble) return;
    clearTimeout(trouble.timer);
    trouble = undefined;
    if (notedAt > Number.NEGATIVE_INFINITY) options.onNote?.(say`${shownUrl(member.url)} answers again.`);
    notedAt = Number.NEGATIVE_INFINITY;
  }

  function answered(member: Member<C>): void {
    member.failures = 0;
    member.rests = 0;
    wellAgain(member);
    // The place that has just become free still counts.
    member.window.onAnswer(performance.now(), waiting.size > 0 && member.underWay + 1 >= member.window.limit);
  }

  /** Whether the failure counts as one of the image's tries. */
  function failed(member: Member<C>, failure: RequestFailure): boolean {
    if (member.state !== "ready") return false;
    if (failure.kind === "busy") {
      // Those that were under way together are refused together.
      if (member.restsUntil <= performance.now()) {
        member.window.onBusy();
        rest(member, failure);
      }
      return false;
    }
    if (failure.kind === "down") member.capabilities = undefined;
    else if (++member.failures < failuresInRow) return true;
    member.state = "away";
    rest(member, failure);
    return false;
  }

  async function use<T>(work: (endpoint: Endpoint<C>) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const begun = performance.now();
    for (let tried = 0; ; ) {
      const member = await acquire(signal);
      let failure: RequestFailure;
      try {
        const done = await work({ url: member.url, capabilities: member.capabilities! });
        member.underWay--;
        answered(member);
        return done;
      } catch (error) {
        member.underWay--;
        if (!(error instanceof RequestFailure)) {
          if (error instanceof LeafError && error.code !== "cancelled" && error.code !== "input") end(error);
          throw error;
        }
        failure = error;
        if (failure.kind === "image") {
          answered(member);
          throw failure;
        }
        if (failed(member, failure)) tried++;
      } finally {
        hand();
      }
      throwIfCancelled(signal);
      if (over) throw over;
      if (tried >= tries) throw new RequestFailure("image", say`${failure.words}, ${tries} times`);
      // Refused for so long while others got through.
      if (failure.kind === "busy" && performance.now() - begun > 4 * options.patienceMs + 60_000)
        throw new RequestFailure("image", failure.words);
      if (failure.kind === "again") await pause(Math.random() * Math.min(10_000, 250 * 2 ** tried), signal);
    }
  }

  return {
    use,
    async ready(signal) {
      const member = await acquire(signal);
      member.underWay--;
      hand();
      return { url: member.url, capabilities: member.capabilities! };
    },
    close() {
      closing.abort();
      end(new LeafError("cancelled", say`Cancelled.`));
    },
  };
}

/** Ends early, without an error, when the signal is aborted. */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
