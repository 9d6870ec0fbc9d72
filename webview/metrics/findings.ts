import { css, html, LitElement, nothing } from "lit";
import type { Finding } from "../../src/protocol/results.ts";
import { render } from "../../src/words/text.ts";
import type { Host } from "../host.ts";
import "../ui/icon.ts";
import { baseStyles } from "../ui/styles.ts";

/** Known ways to fail that the figures point at, each with its remedy. Nothing where there are none. */
class Findings extends LitElement {
  static override properties = { host: { attribute: false }, findings: { attribute: false } };
  static override styles = [
    baseStyles,
    css`
      ul {
        list-style: none;
        margin: 0 0 18px;
        padding: 0;
        max-width: 110ch;
      }
      li {
        display: flex;
        gap: 8px;
        padding: 6px 10px;
        border-inline-start: 3px solid var(--vscode-editorWarning-foreground);
        background: var(--vscode-textBlockQuote-background);
        overflow-wrap: anywhere;
      }
      li + li {
        margin-top: 6px;
      }
      leaf-icon {
        flex: none;
        margin-top: 1px;
        color: var(--vscode-editorWarning-foreground);
      }
    `,
  ];
  declare host: Host;
  declare findings: readonly Finding[] | undefined;

  protected override render() {
    if (!this.findings?.length) return nothing;
    const { text } = this.host;
    return html`<ul>
      ${this.findings.map(
        ({ words, message, remedy }) =>
          html`<li>
            <leaf-icon name="warning"></leaf-icon>
            <span>${render(words?.message ?? message, text)} <span class="muted">${render(words?.remedy ?? remedy, text)}</span></span>
          </li>`,
      )}
    </ul>`;
  }
}

customElements.define("leaf-findings", Findings);
