import type { ImageRow } from "../../src/protocol/images.ts";
import type { RatingQueue } from "../../src/protocol/server.ts";
import { bands, bandWord } from "../../src/words/score.ts";
import type { Host } from "../host.ts";

/** ITU-T P.910, BT.500, absolute category rating: 5 excellent … 1 bad. */
export const ratingWord = (host: Host, rating: number) => bandWord(host.text, bands[5 - rating] ?? "bad");

export interface Rated {
  row: ImageRow | undefined;
  hash: string;
  rating: number;
}

/** Ratings of one sitting: each is told to the server at once, in order, and the next image does not wait for the answer. */
export interface RatingSession {
  /** null until the first answer. */
  readonly queue: RatingQueue | null;
  /** To be rated, the shown one first; those passed over are not among them. */
  readonly next: readonly ImageRow[];
  readonly skipped: number;
  readonly done: number;
  readonly total: number;
  /** The newest rating: what undo takes back. */
  readonly last: Rated | undefined;
  load(count: number): Promise<void>;
  rate(rating: number): void;
  skip(): void;
  unskip(): void;
  undo(): void;
}

interface Options {
  host: Host;
  config: string;
  /** Chosen by hand: they come first. */
  chosen: readonly ImageRow[];
  onChange(): void;
  onError(error: unknown): void;
}

export function createRatingSession({ host, config, chosen, onChange, onError }: Options): RatingSession {
  let queue: RatingQueue | null = null;
  let given: Rated[] = [];
  let skipped: string[] = [];
  /** An image whose rating was taken back comes at once again. */
  let again: ImageRow | undefined;
  let telling: Promise<unknown> = Promise.resolve();

  const isGiven = (hash: string) => given.some((one) => one.hash === hash);

  function open(): ImageRow[] {
    const proposed = queue?.images ?? [];
    const others = proposed.filter(({ hash }) => !chosen.some((row) => row.hash === hash));
    const rows = [...chosen, ...others].filter(({ hash }) => !isGiven(hash));
    return again ? [again, ...rows.filter(({ hash }) => hash !== again?.hash)] : rows;
  }

  const next = () => open().filter(({ hash }) => !skipped.includes(hash));

  function earlier(): RatingQueue["rated"] {
    // Ratings of this sitting are in the answer as well.
    return (queue?.rated ?? []).filter(({ hash }) => !isGiven(hash) && hash !== again?.hash);
  }

  function tell(hash: string, rating: number | null, refused: () => void): void {
    telling = telling
      .then(() => host.request("leaf/rate", { config, hash, rating }))
      .then((answer) => {
        queue = answer;
      })
      .catch((error) => {
        refused();
        onError(error);
      })
      .finally(onChange);
    onChange();
  }

  return {
    get queue() {
      return queue;
    },
    get next() {
      return next();
    },
    get skipped() {
      return open().length - next().length;
    },
    get done() {
      return earlier().length + given.length;
    },
    get total() {
      return earlier().length + given.length + open().length;
    },
    get last() {
      const before = earlier().at(-1);
      return given.at(-1) ?? (before && { row: undefined, ...before });
    },
    async load(count) {
      try {
        queue = await host.request("leaf/ratingQueue", { config, count });
      } catch (error) {
        onError(error);
      }
      onChange();
    },
    rate(rating) {
      const [row] = next();
      if (!row) return;
      if (again?.hash === row.hash) again = undefined;
      const one = { row, hash: row.hash, rating };
      given = [...given, one];
      tell(row.hash, rating, () => {
        given = given.filter((other) => other !== one);
        again = row;
      });
    },
    skip() {
      const [row] = next();
      if (row) skipped = [...skipped, row.hash];
      onChange();
    },
    unskip() {
      skipped = [];
      onChange();
    },
    undo() {
      const last = given.at(-1) ?? earlier().at(-1);
      if (!last) return;
      const before = given;
      given = given.filter(({ hash }) => hash !== last.hash);
      skipped = skipped.filter((hash) => hash !== last.hash);
      if ("row" in last && last.row) again = last.row;
      tell(last.hash, null, () => {
        given = before;
        again = undefined;
      });
      // One of an earlier sitting is known again with the answer.
      if (!("row" in last)) {
        void telling.then(() => {
          again = queue?.images.find(({ hash }) => hash === last.hash);
          onChange();
        });
      }
    },
  };
}
