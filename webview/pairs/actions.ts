import type { PairRow } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";
import type { Action } from "../ui/actions.ts";
import type { PairView } from "./view.ts";

export interface PairState {
  host: Host;
  index: number;
  /** null until it is known how many pairs there are. */
  total: number | null;
  /** None while it is being fetched. */
  pair: PairRow | undefined;
  canTakeBack: boolean;
  flickers: boolean;
  does: {
    /** P(A better) */
    say(p: 0 | 0.5 | 1): void;
    takeBack(): void;
    goTo(index: number): void;
    /** A short press turns it on or off. */
    flicker(): void;
    stopFlicker(): void;
    view(): PairView | null;
  };
}

export type PairActions = ReturnType<typeof pairActions>;

const zoom = 1.5;
const step = 80;

/** What can be done with a pair: a word on it, another pair, another look. */
export function pairActions({ host, index, total, pair, canTakeBack, flickers, does }: PairState) {
  const { text } = host;
  const { say, goTo, view } = does;
  const end = (total ?? 1) - 1;
  const pan = (key: string, x: number, y: number) => ({
    keys: [`Shift+${key}`],
    held: [`Shift+${key}`],
    run: () => view()?.pan(x, y),
  });
  return {
    aBetter: {
      title: text("A better"),
      tooltip: text("A is better; overrules the teacher and goes on"),
      keys: ["ArrowLeft"],
      pressed: pair?.human === 1,
      run: () => say(1),
    },
    same: {
      title: text("Same"),
      tooltip: text("Both are the same; overrules the teacher and goes on"),
      keys: ["="],
      pressed: pair?.human === 0.5,
      run: () => say(0.5),
    },
    bBetter: {
      title: text("B better"),
      tooltip: text("B is better; overrules the teacher and goes on"),
      keys: ["ArrowRight"],
      pressed: pair?.human === 0,
      run: () => say(0),
    },
    skip: {
      title: text("Skip"),
      tooltip: text("Leaves the teacher's word and goes on"),
      keys: ["s"],
      run: () => goTo(index + 1),
    },
    takeBack: {
      title: text("Take back"),
      tooltip: text("Takes your word on this pair back, or the last one you gave"),
      keys: ["u", "Backspace"],
      disabled: !canTakeBack,
      run: does.takeBack,
    },
    previous: {
      title: text("Previous pair"),
      icon: "arrow-left",
      keys: ["k", "PageUp"],
      held: ["k", "PageUp"],
      disabled: index === 0,
      run: () => goTo(index - 1),
    },
    next: {
      title: text("Next pair"),
      icon: "arrow-right",
      keys: ["j", "PageDown"],
      held: ["j", "PageDown"],
      disabled: index + 1 >= (total ?? 0),
      run: () => goTo(index + 1),
    },
    first: { keys: ["Home"], run: () => goTo(0) },
    last: { keys: ["End"], run: () => goTo(end) },
    flicker: {
      title: text("Flicker"),
      tooltip: text("Flicker: A and B by turns in the same place ({key}; hold it for a moment's look)"),
      keys: ["f"],
      pressed: flickers,
      run: does.flicker,
    },
    stopFlicker: { keys: ["Escape"], run: does.stopFlicker },
    zoomOut: {
      title: text("Zoom out"),
      icon: "zoom-out",
      keys: ["-"],
      held: ["-"],
      run: () => view()?.zoomBy(1 / zoom),
    },
    zoomIn: {
      title: text("Zoom in"),
      icon: "zoom-in",
      keys: ["+"],
      held: ["+"],
      run: () => view()?.zoomBy(zoom),
    },
    fit: { title: text("Fit"), tooltip: text("Fit into the pane"), keys: ["0"], run: () => view()?.toFit() },
    actualSize: {
      title: "100 %",
      tooltip: text("Actual size: one pixel of A is one of the screen"),
      keys: ["1"],
      run: () => view()?.toActualSize(),
    },
    panLeft: pan("ArrowLeft", step, 0),
    panRight: pan("ArrowRight", -step, 0),
    panUp: pan("ArrowUp", 0, step),
    panDown: pan("ArrowDown", 0, -step),
  } satisfies Record<string, Action>;
}
