import type { GalleryActions } from "./actions.ts";

export interface GalleryMoves extends GalleryActions {
  selectAll(): void;
  resize(by: -1 | 1): void;
  /** Heat maps over images, or not. */
  heat(): void;
  /** Into the field for a part of a path. */
  search(): void;
}

/** Does what a key means wherever the focus is in the gallery; false for one without meaning here. */
export function galleryKey(key: string, event: KeyboardEvent, moves: GalleryMoves): boolean {
  const whole = event.ctrlKey || event.metaKey;
  const meanings: Record<string, () => void> = whole
    ? { a: moves.selectAll }
    : {
        s: moves.rescore,
        o: moves.reveal,
        r: moves.rate,
        h: moves.heat,
        Delete: moves.exclude,
        Escape: moves.dismiss,
        "+": () => moves.resize(1),
        "-": () => moves.resize(-1),
        "/": moves.search,
      };
  const act = meanings[key];
  if (act && !event.repeat) act();
  return act !== undefined;
}
