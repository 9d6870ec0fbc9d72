const fields = "input, textarea, select, [contenteditable], vscode-dropdown, vscode-text-field";
/** What else a slider takes for itself; letters it leaves to the tab. */
const ofSliders = new Set(["PageUp", "PageDown", "+", "-"]);
const ofTheFocused = new Set([
  " ",
  "Enter",
  "ArrowLeft",
  "ArrowRight",
  "ArrowUp",
  "ArrowDown",
  "Home",
  "End",
]);

/**
 * Calls `pressed` with key presses while a tab is what is looked at, but not with what is typed into a field nor with what moves the
 * focus elsewhere in the panel. `pressed` says whether the key meant something. Returns what stops listening.
 */
export function onKeys(owner: HTMLElement, pressed: (event: KeyboardEvent) => boolean): () => void {
  const listener = (event: KeyboardEvent) => {
    const path = event.composedPath();
    const target = path[0];
    if (event.defaultPrevented || event.altKey || !owner.checkVisibility()) return;
    if (target instanceof Element) {
      const slider = target.matches("input[type=range]");
      if (slider ? ofTheFocused.has(event.key) || ofSliders.has(event.key) : target.matches(fields)) return;
      if (target instanceof HTMLButtonElement && (event.key === " " || event.key === "Enter")) return;
      if (!path.includes(owner) && target !== document.body && ofTheFocused.has(event.key)) return;
    }
    if (pressed(event)) event.preventDefault();
  };
  window.addEventListener("keydown", listener);
  return () => window.removeEventListener("keydown", listener);
}

/** Moves the focus into a tab that was just opened, unless somebody walks the panel by keyboard. */
export function takeFocus(element: HTMLElement | null): void {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  if (active && active !== document.body && (active.matches(":focus-visible") || active.matches(fields)))
    return;
  element?.focus({ preventScroll: true });
}
