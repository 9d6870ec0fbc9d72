import { css, html, LitElement } from "lit";
import { codePoints, type IconName } from "./iconNames.ts";

export type { IconName };

/** `<leaf-icon name="play">`: decoration only; the words beside it say the same. `spin` turns it. */
class Icon extends LitElement {
  static override properties = { name: { type: String }, spin: { type: Boolean, reflect: true } };
  static override styles = css`
    :host {
      display: inline-block;
      font: normal normal normal 16px/1 codicon;
      width: 16px;
      height: 16px;
      text-align: center;
      vertical-align: text-bottom;
      user-select: none;
      flex: none;
    }
    :host([spin]) {
      animation: spin 1.5s steps(30) infinite;
    }
    @keyframes spin {
      to {
        transform: rotate(360deg);
      }
    }
    @media (prefers-reduced-motion: reduce) {
      :host([spin]) {
        animation: none;
      }
    }
  `;
  declare name: IconName;
  declare spin: boolean;

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("aria-hidden", "true");
  }

  protected override render() {
    return html`${String.fromCodePoint(codePoints[this.name] ?? 0x20)}`;
  }
}

customElements.define("leaf-icon", Icon);
