import { LRUCache } from "lru-cache";
import type { KnownScore } from "../../protocol/server.ts";

/** At most this many files are asked for at once. */
const largestBatch = 500;

export interface ScoreCache {
  /** A score, or null where none is known. Asked for together with others of the next moment. */
  get(uri: string): Promise<KnownScore | null>;
  /** Forgets some scores, or all. */
  forget(uris: string[] | "all"): void;
}

/** Scores by URI, fetched in batches and kept up to a number. */
export function scoreCache(
  fetch: (uris: string[]) => Promise<(KnownScore | null)[]>,
  { capacity = 20_000, waitMs = 40 }: { capacity?: number; waitMs?: number } = {},
): ScoreCache {
  let cache: LRUCache<string, Promise<KnownScore | null>> | undefined;
  // Not before the first file is asked for: it takes milliseconds to make, and the extension starts in few.
  const known = () => {
    cache ??= new LRUCache({ max: capacity });
    return cache;
  };
  let asked: { uri: string; resolve: (score: KnownScore | null) => void }[] = [];

  async function ask(): Promise<void> {
    const all = asked;
    asked = [];
    for (let from = 0; from < all.length; from += largestBatch) {
      const some = all.slice(from, from + largestBatch);
      let scores: (KnownScore | null)[] = [];
      try {
        scores = await fetch(some.map(({ uri }) => uri));
      } catch {
        // No score is shown now; the next look asks again.
        for (const { uri } of some) known().delete(uri);
      }
      for (const [at, { resolve }] of some.entries()) resolve(scores[at] ?? null);
    }
  }

  return {
    get(uri) {
      const before = known().get(uri);
      if (before) return before;
      const score = new Promise<KnownScore | null>((resolve) => asked.push({ uri, resolve }));
      known().set(uri, score);
      // The first of a batch sets its time.
      if (asked.length === 1) setTimeout(() => void ask(), waitMs);
      return score;
    },
    forget(uris) {
      if (uris === "all") cache?.clear();
      else for (const uri of uris) cache?.delete(uri);
    },
  };
}
