import { html, nothing } from "lit";
import type { Host } from "../host.ts";
import type { IconName } from "./icon.ts";
import "./icon.ts";

/**
 * What can be done in a tab: one row of the tab's table, under the action's id. Its button, tooltip, accessible name and keys are
 * all made from the row.
 */
export interface Action {
  /** On its button; the accessible name of a button that shows an icon only. An action without a title has keys only. */
  title?: string;
  /** What its button says of itself. The keys follow in brackets, or stand in the place of `{key}`. */
  tooltip?: string;
  icon?: IconName;
  /** As KeyboardEvent.key names them, after `Ctrl+` (or ⌘) or `Shift+`. The button shows the first, its tooltip the first two. */
  keys?: readonly string[];
  /** Those of its keys that act on and on while they are held down; a press of another is one act. */
  held?: readonly string[];
  /** Its keys are heard by the element that has the focus, not by the tab. */
  heardInside?: boolean;
  /** Of the button. A key calls `run` all the same, which knows what to do. */
  hidden?: boolean;
  disabled?: boolean;
  pressed?: boolean;
  run(): void;
}

/** Does what a key means; false for one without meaning here. */
export function pressKey(actions: Record<string, Action>, event: KeyboardEvent): boolean {
  const { key } = event;
  const names =
    event.ctrlKey || event.metaKey ? [`Ctrl+${key}`] : event.shiftKey ? [`Shift+${key}`, key] : [key];
  for (const name of names) {
    const action = Object.values(actions).find((one) => !one.heardInside && one.keys?.includes(name));
    if (!action) continue;
    if (!event.repeat || action.held?.includes(name)) action.run();
    return true;
  }
  return false;
}

const arrows: Record<string, string> = { ArrowLeft: "←", ArrowRight: "→" };
/** What stands on the key, or on a button for it. */
function onButton({ text }: Host, key: string): string {
  if (key === "Delete") return text("Del");
  return { ...arrows, Enter: "⏎", Escape: "Esc" }[key] ?? key;
}

const inTooltips = (key: string) =>
  key.startsWith("Ctrl+") ? `Ctrl+${key.slice(5).toUpperCase()}` : (arrows[key] ?? key);

/** Names the keys; none where there is nothing to say. */
export function tooltipOf({ text }: Host, { title = "", tooltip, keys = [] }: Action): string | undefined {
  const [first, second] = keys.map(inTooltips);
  if (first === undefined) return tooltip;
  const names = second === undefined ? first : text("{0} or {1}", first, second);
  return tooltip?.includes("{key}") ? tooltip.replace("{key}", names) : `${tooltip ?? title} (${names})`;
}

interface Look {
  /** "icon": nothing else is shown. */
  class?: string;
  /** Where its key is shown: before or after the title, or before it and as a part of its accessible name. */
  key?: "before" | "after" | "named";
}

/** The button of an action, made from its row. */
export function actionButton(host: Host, action: Action, { class: classes, key }: Look = {}) {
  if (action.hidden) return nothing;
  const { title = "", icon, keys = [] } = action;
  const iconOnly = classes === "icon";
  const shownKey = keys[0] && onButton(host, keys[0]);
  const kbd = html`<kbd aria-hidden=${key === "named" ? nothing : "true"}>${shownKey}</kbd>`;
  return html`<button
    class=${classes ?? nothing}
    title=${tooltipOf(host, action) ?? nothing}
    aria-label=${iconOnly ? title : nothing}
    aria-pressed=${action.pressed ?? nothing}
    ?disabled=${action.disabled}
    @click=${() => action.run()}
  >${key === "before" || key === "named" ? kbd : nothing}${icon ? html`<leaf-icon name=${icon}></leaf-icon>` : nothing}${iconOnly ? nothing : title}${key === "after" ? kbd : nothing}</button>`;
}
