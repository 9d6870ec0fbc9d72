import { css, html, LitElement } from "lit";
import type { IconName } from "./icon.ts";
import "./icon.ts";
import { baseStyles } from "./styles.ts";

/** What will be here, and (slotted) the one action that brings it. */
class Empty extends LitElement {
  static override properties = { icon: { type: String }, heading: { type: String }, words: { type: String } };
  static override styles = [
    baseStyles,
    css`
      .empty {
        max-width: 52ch;
        margin: clamp(16px, 12vh, 120px) auto 24px;
        padding: 0 16px;
        display: flex;
        flex-direction: column;
        align-items: center;
        text-align: center;
        gap: 8px;
        overflow-wrap: anywhere;
      }
      leaf-icon {
        transform: scale(2);
        margin-bottom: 16px;
        color: var(--vscode-descriptionForeground);
      }
      ::slotted(*) {
        margin-top: 8px;
      }
    `,
  ];
  declare icon: IconName;
  declare heading: string;
  declare words: string;

  protected override render() {
    return html`<div class="empty">
      <leaf-icon name=${this.icon}></leaf-icon>
      <h2>${this.heading}</h2>
      <p class="muted">${this.words}</p>
      <slot></slot>
    </div>`;
  }
}

customElements.define("leaf-empty", Empty);
