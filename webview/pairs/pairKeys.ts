import type { PairActions } from "./actions.ts";
import type { PairView } from "./view.ts";

export interface PairMoves extends PairActions {
  previous(): void;
  first(): void;
  last(): void;
  /** A short press turns it on or off. */
  flicker(): void;
  stopFlicker(): void;
}

const step = 80;
const pans: Record<string, [number, number]> = {
  ArrowLeft: [step, 0],
  ArrowRight: [-step, 0],
  ArrowUp: [0, step],
  ArrowDown: [0, -step],
};
/** May be held down; one press of any other key is one act, however long it is held. */
const repeatable = new Set(["j", "k", "PageDown", "PageUp", "+", "-"]);

/** Does what a key means; false for one without meaning here. */
export function pairKey(key: string, event: KeyboardEvent, view: PairView | null, moves: PairMoves): boolean {
  if (event.ctrlKey || event.metaKey) return false;
  const pan = pans[key];
  if (event.shiftKey && pan) {
    view?.pan(...pan);
    return true;
  }
  const meanings: Record<string, () => void> = {
    ArrowLeft: () => moves.say(1),
    ArrowRight: () => moves.say(0),
    "=": () => moves.say(0.5),
    s: moves.next,
    j: moves.next,
    PageDown: moves.next,
    k: moves.previous,
    PageUp: moves.previous,
    Home: moves.first,
    End: moves.last,
    u: moves.takeBack,
    Backspace: moves.takeBack,
    "+": () => view?.zoomBy(1.5),
    "-": () => view?.zoomBy(1 / 1.5),
    "0": () => view?.toFit(),
    "1": () => view?.toActualSize(),
    f: moves.flicker,
    Escape: moves.stopFlicker,
  };
  const act = meanings[key];
  if (act && (!event.repeat || repeatable.has(key))) act();
  return act !== undefined;
}
