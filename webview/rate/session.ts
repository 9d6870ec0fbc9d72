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
  /** The second rating of an image. */
  repeat?: boolean;
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
  /** What comes at once: an image whose rating was taken back, or one to be rated a second time. */
  let first: { row: ImageRow; repeat?: boolean } | undefined;
  let telling: Promise<unknown> = Promise.resolve();

  const isGiven = (hash: string) => given.some((one) => one.hash === hash);

  function open(): ImageRow[] {
    const proposed = queue?.images ?? [];
    const others = proposed.filter(({ hash }) => !chosen.some((row) => row.hash === hash));
    const rows = [...chosen, ...others].filter(({ hash }) => !isGiven(hash));
    return first ? [first.row, ...rows.filter(({ hash }) => hash !== first?.row.hash)] : rows;
  }

  const next = () => open().filter(({ hash }) => !skipped.includes(hash));

  function earlier(): RatingQueue["rated"] {
    // Ratings of this sitting are in the answer as well.
    const shown = first && { hash: first.row.hash, repeat: first.repeat };
    return (queue?.rated ?? []).filter(
      (one) => !given.some((other) => isSame(one, other)) && !(shown && isSame(one, shown)),
    );
  }

  /** Between two images, never under the eyes: one that is due a second time. Nothing says so, or the first rating would be remembered. */
  function bringRepeat(): void {
    const due = queue?.repeat;
    if (!due || first || given.some((one) => isSame(one, { hash: due.hash, repeat: true }))) return;
    if (!skipped.includes(due.hash)) first = { row: due, repeat: true };
  }

  function tell(
    { hash, repeat }: Pick<Rated, "hash" | "repeat">,
    rating: number | null,
    refused: () => void,
  ): void {
    telling = telling
      .then(() => host.request("leaf/rate", { config, hash, rating, ...(repeat && { repeat }) }))
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
      const { repeat } = first?.row.hash === row.hash ? first : {};
      if (first?.row.hash === row.hash) first = undefined;
      const one = { row, hash: row.hash, rating, ...(repeat && { repeat }) };
      given = [...given, one];
      bringRepeat();
      tell(one, rating, () => {
        given = given.filter((other) => other !== one);
        first = { row, repeat };
      });
    },
    skip() {
      const [row] = next();
      if (row) skipped = [...skipped, row.hash];
      if (row && first?.row.hash === row.hash) first = undefined;
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
      given = given.filter((one) => !isSame(one, last));
      skipped = skipped.filter((hash) => hash !== last.hash);
      if ("row" in last && last.row) first = { row: last.row, repeat: last.repeat };
      tell(last, null, () => {
        given = before;
        first = undefined;
      });
      // One of an earlier sitting is known again with the answer.
      if (!("row" in last)) {
        void telling.then(() => {
          const { repeat } = last;
          const row = repeat ? queue?.repeat : queue?.images.find(({ hash }) => hash === last.hash);
          first = row && { row, repeat };
          onChange();
        });
      }
    },
  };
}

function isSame(a: Pick<Rated, "hash" | "repeat">, b: Pick<Rated, "hash" | "repeat">): boolean {
  return a.hash === b.hash && (a.repeat ?? false) === (b.repeat ?? false);
}
