import { LRUCache } from "lru-cache";
import type { HeatView, ImageRow } from "../../src/protocol/images.ts";
import type { Failure } from "../../src/protocol/jobs.ts";
import type { Host } from "../host.ts";
import { failureOf } from "../ui/refusal.ts";

/** What is known of an image's heat map; `overlay` is its address. */
export type Heat =
  | { state: "waiting" }
  | { state: "there"; view: HeatView; overlay: string }
  | { state: "failed"; failure: Failure };

/** Heat maps of images as they are looked at. */
export interface HeatMaps {
  /** By the scorer's fingerprint. Is asked for if need be: one at a time, and then the one that is wanted last. */
  want(row: ImageRow, scorer: string): Heat;
  /** The overlay did not load: it is made again once, then counts as one that cannot be shown. */
  lost(row: ImageRow, scorer: string): void;
  /** Asked for anew when it is wanted next. */
  forget(row: ImageRow, scorer: string): void;
}

const kept = 500;

/** `changed` is called with each answer. */
export function createHeatMaps(host: () => Host, changed: () => void): HeatMaps {
  const known = new LRUCache<string, Heat>({ max: kept });
  const madeAgain = new Set<string>();
  let wish: { key: string; row: ImageRow } | undefined;
  /** The one that was asked for. */
  let asked: string | undefined;
  const keyOf = (row: ImageRow, scorer: string) => `${row.hash} ${scorer}`;

  /** Whoever steps through images by holding a key waits for the one where they stop, not for those passed by. */
  async function askLast(): Promise<void> {
    if (asked !== undefined) return;
    while (wish) {
      const { key, row } = wish;
      asked = key;
      wish = undefined;
      known.set(key, await answerFor(row));
      changed();
    }
    asked = undefined;
  }

  async function answerFor(row: ImageRow): Promise<Heat> {
    try {
      const view = await host().request("leaf/heatMap", { uri: row.uri });
      const overlay = view && host().resource(view.overlay);
      return view && overlay ? { state: "there", view, overlay } : notShown(row);
    } catch (error) {
      return { state: "failed", failure: failureOf(error) };
    }
  }

  const notShown = (row: ImageRow): Heat => ({
    state: "failed",
    failure: { code: "failed", message: host().text("The heat map of {0} cannot be shown.", row.path) },
  });

  return {
    want(row, scorer) {
      const key = keyOf(row, scorer);
      const one = known.get(key);
      if (one) return one;
      wish = key === asked ? undefined : { key, row };
      void askLast();
      return { state: "waiting" };
    },
    lost(row, scorer) {
      const key = keyOf(row, scorer);
      if (madeAgain.has(key)) known.set(key, notShown(row));
      else {
        madeAgain.add(key);
        known.delete(key);
      }
      changed();
    },
    forget(row, scorer) {
      known.delete(keyOf(row, scorer));
      madeAgain.delete(keyOf(row, scorer));
      changed();
    },
  };
}
