import { html } from "lit";
import type { Host } from "../host.ts";
import { actionButton } from "../ui/actions.ts";
import type { PairActions } from "./actions.ts";

/** What a person can say of a pair. */
export function wordBar(host: Host, { aBetter, same, bBetter, skip, takeBack }: PairActions) {
  return html`<div class="bar acts" role="toolbar" aria-label=${host.text("Your word on this pair")}>
    ${[aBetter, same, bBetter, skip, takeBack].map((action) => actionButton(host, action, { class: "act", key: "before" }))}
  </div>`;
}

/** From pair to pair, flicker and zoom. */
export function viewTools(host: Host, actions: PairActions) {
  const { previous, next, flicker, stopFlicker, zoomOut, zoomIn, fit, actualSize } = actions;
  const icon = { class: "icon" };
  // Its key shows the other image where flicker is steady; its button always turns off what is on.
  const turned = flicker.pressed ? { ...flicker, run: stopFlicker.run } : flicker;
  return html`<span class="view-tools">${actionButton(host, previous, icon)}${actionButton(host, next, icon)}</span>
    <span class="view-tools" role="toolbar" aria-label=${host.text("View")}>
      ${actionButton(host, turned)}${actionButton(host, zoomOut, icon)}${actionButton(host, zoomIn, icon)}
      ${actionButton(host, fit)}${actionButton(host, actualSize)}
    </span>`;
}
