import type { Host } from "../host.ts";
import type { Action } from "../ui/actions.ts";
import { type RatingSession, ratingWord } from "./session.ts";

export interface RateState {
  host: Host;
  session: RatingSession;
  /** The image is not yet on the screen in full. */
  waits: boolean;
  does: { rate(rating: number): void; undo(): void; skip(): void; zoom(): void; changeRater(): void };
}

export type RateActions = ReturnType<typeof rateActions>;

/** What can be done with the image to rate; each rating is an action under its own number. */
export function rateActions({ host, session, waits, does }: RateState) {
  const { text } = host;
  const rate = (rating: number) => ({
    title: ratingWord(host, rating),
    keys: [String(rating)],
    disabled: waits,
    run: () => does.rate(rating),
  });
  return {
    1: rate(1),
    2: rate(2),
    3: rate(3),
    4: rate(4),
    5: rate(5),
    skip: {
      title: text("Skip"),
      tooltip: text("Passes on; it comes again at the end"),
      keys: ["s"],
      run: does.skip,
    },
    undo: {
      title: text("Undo"),
      tooltip: text("Takes the last rating back"),
      keys: ["u", "Ctrl+z", "Backspace"],
      held: ["Ctrl+z"],
      disabled: !session.last,
      run: does.undo,
    },
    rater: {
      title: session.queue?.rater ? text("Rater: {0}", session.queue.rater) : text("Rater: no name"),
      tooltip: text("Who rates: change the name"),
      keys: [],
      run: does.changeRater,
    },
    zoom: {
      title: text("Zoom"),
      tooltip: text("Fit or actual size ({key}); the wheel zooms, dragging moves"),
      keys: ["z"],
      run: does.zoom,
    },
  } satisfies Record<string, Action>;
}
