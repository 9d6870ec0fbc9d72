import { html } from "lit";
import type { PairRow } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";

/** What a person can say of a pair: P(A better), or pass on, or take a word back. */
export interface PairActions {
  say(p: 0 | 0.5 | 1): void;
  next(): void;
  takeBack(): void;
}

/** The buttons that overrule; their keys are shown on them and in their tooltips. */
export function pairActions(
  host: Host,
  pair: PairRow,
  canTakeBack: boolean,
  { say, next, takeBack }: PairActions,
) {
  const text = host.text;
  const word = (p: 0 | 0.5 | 1, key: string, words: string, tooltip: string) => html`<button
    class="act"
    aria-pressed=${pair.human === p}
    title=${tooltip}
    @click=${() => say(p)}
  >
    <kbd aria-hidden="true">${key}</kbd>${words}
  </button>`;
  return html`<div class="bar acts" role="toolbar" aria-label=${text("Your word on this pair")}>
    ${word(1, "←", text("A better"), text("A is better; overrules the teacher and goes on (←)"))}
    ${word(0.5, "=", text("Same"), text("Both are the same; overrules the teacher and goes on (=)"))}
    ${word(0, "→", text("B better"), text("B is better; overrules the teacher and goes on (→)"))}
    <button class="act" title=${text("Leaves the teacher's word and goes on (s)")} @click=${next}>
      <kbd aria-hidden="true">s</kbd>${text("Skip")}
    </button>
    <button
      class="act"
      ?disabled=${!canTakeBack}
      title=${text("Takes your word on this pair back, or the last one you gave (u or Backspace)")}
      @click=${takeBack}
    >
      <kbd aria-hidden="true">u</kbd>${text("Take back")}
    </button>
  </div>`;
}

/** Zoom and flicker. */
export function viewTools(
  host: Host,
  flickers: boolean,
  tools: { flicker(): void; zoomOut(): void; zoomIn(): void; fit(): void; actual(): void },
) {
  const text = host.text;
  return html`<span class="view-tools" role="toolbar" aria-label=${text("View")}>
    <button aria-pressed=${flickers} title=${text("Flicker: A and B by turns in the same place (f; hold it for a moment's look)")} @click=${tools.flicker}>
      ${text("Flicker")}
    </button>
    <button class="icon" title=${text("Zoom out (-)")} aria-label=${text("Zoom out")} @click=${tools.zoomOut}><leaf-icon name="zoom-out"></leaf-icon></button>
    <button class="icon" title=${text("Zoom in (+)")} aria-label=${text("Zoom in")} @click=${tools.zoomIn}><leaf-icon name="zoom-in"></leaf-icon></button>
    <button title=${text("Fit into the pane (0)")} @click=${tools.fit}>${text("Fit")}</button>
    <button title=${text("Actual size: one pixel of A is one of the screen (1)")} @click=${tools.actual}>100 %</button>
  </span>`;
}
