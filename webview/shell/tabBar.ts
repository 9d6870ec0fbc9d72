import { css, html, LitElement } from "lit";
import { type PanelTab, panelTabs } from "../../src/protocol/panel.ts";
import { tabTitles } from "../../src/words/titles.ts";
import type { Host } from "../host.ts";
import { baseStyles } from "../ui/styles.ts";

/** The tab that a key press means: Ctrl+Alt+1 … 6. Alt alone belongs to the editor's own tabs. */
export function tabOfKey(event: KeyboardEvent): PanelTab | undefined {
  if (!event.ctrlKey || !event.altKey || event.metaKey || event.shiftKey) return undefined;
  const digit = /^(?:Digit|Numpad)([1-6])$/.exec(event.code)?.[1];
  return digit ? panelTabs[Number(digit) - 1] : undefined;
}

const modifiers = navigator.userAgent.includes("Mac OS") ? "⌃⌥" : "Ctrl+Alt+";

/** An ARIA tab list; fires `pick` with the tab. */
class TabBar extends LitElement {
  static override properties = {
    host: { attribute: false },
    current: { type: String },
    running: { type: Boolean },
  };
  static override styles = [
    baseStyles,
    css`
      [role="tablist"] {
        display: flex;
        overflow-x: auto;
        scrollbar-width: none;
        gap: 2px;
      }
      button {
        border: 0;
        border-bottom: 2px solid transparent;
        border-radius: 0;
        padding: 8px 10px 6px;
        color: var(--vscode-panelTitle-inactiveForeground);
        white-space: nowrap;
      }
      button:hover:not(:disabled) {
        background: none;
        color: var(--vscode-panelTitle-activeForeground);
      }
      button[aria-selected="true"] {
        color: var(--vscode-panelTitle-activeForeground);
        border-bottom-color: var(--vscode-panelTitle-activeBorder);
      }
      @media (max-width: 420px) {
        button {
          padding-inline: 7px;
        }
      }
      .dot {
        display: inline-block;
        width: 6px;
        height: 6px;
        margin-inline-start: 6px;
        border-radius: 50%;
        vertical-align: middle;
        background: var(--vscode-progressBar-background);
      }
    `,
  ];
  declare host: Host;
  declare current: PanelTab;
  declare running: boolean;

  protected override render() {
    const text = this.host.text;
    const titles = tabTitles(text);
    return html`<div role="tablist" aria-label=${text("IQA panel")} @keydown=${this.#onKey}>
      ${panelTabs.map((tab, index) => {
        const selected = tab === this.current;
        const runs = tab === "run" && this.running;
        return html`<button
          role="tab"
          id=${tab}
          aria-selected=${selected ? "true" : "false"}
          tabindex=${selected ? 0 : -1}
          title=${`${titles[tab]} (${modifiers}${index + 1})`}
          @click=${() => this.#pick(tab)}
        >${titles[tab]}${runs ? html`<span class="dot" role="img" aria-label=${text("running")}></span>` : ""}</button>`;
      })}
    </div>`;
  }

  async #onKey(event: KeyboardEvent) {
    const at = panelTabs.indexOf(this.current);
    const last = panelTabs.length - 1;
    const to = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#pick(panelTabs[to]!);
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>(`#${panelTabs[to]}`)?.focus();
  }

  #pick(tab: PanelTab) {
    this.current = tab;
    this.dispatchEvent(new CustomEvent("pick", { detail: tab }));
  }
}

customElements.define("leaf-tab-bar", TabBar);
