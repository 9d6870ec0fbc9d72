import { css, html, LitElement } from "lit";
import "./icon.ts";
import { baseStyles } from "./styles.ts";

/** Shown while an answer is awaited; only what takes longer than a third of a second is seen. */
class Waiting extends LitElement {
  static override styles = [
    baseStyles,
    css`
      :host {
        padding-top: 18vh;
        text-align: center;
        animation: appear 0.01s 0.35s both;
      }
      @keyframes appear {
        from {
          visibility: hidden;
        }
        to {
          visibility: visible;
        }
      }
    `,
  ];

  protected override render() {
    return html`<leaf-icon name="loading" spin></leaf-icon>`;
  }
}

customElements.define("leaf-waiting", Waiting);
