import { css, html, LitElement } from "lit";
import type { Host } from "../host.ts";
import "../ui/button.ts";
import "../ui/icon.ts";
import { baseStyles } from "../ui/styles.ts";

/** What is shown where no folder has a leaf.yaml yet. */
class Begin extends LitElement {
  static override properties = { host: { attribute: false } };
  static override styles = [
    baseStyles,
    css`
      .begin {
        max-width: 72ch;
        margin: 0 auto;
        padding: clamp(24px, 12vh, 120px) 20px 24px;
      }
      h2 {
        font-size: 1.5em;
        margin-bottom: 8px;
      }
      ol {
        padding-inline-start: 1.6em;
        margin: 16px 0 20px;
      }
      li {
        margin-bottom: 6px;
      }
    `,
  ];
  declare host: Host;

  protected override render() {
    const text = this.host.text;
    return html`<div class="begin">
      <h2>${text("An image quality model for your own images")}</h2>
      <p>
        ${text("A teacher judges your images, a small student learns from it, and a few human scores move it onto your scale. All of it is described by one file, leaf.yaml.")}
      </p>
      <ol>
        <li>${text("New Config writes a commented leaf.yaml beside your images.")}</li>
        <li>${text("Run Pipeline labels, distills, calibrates and evaluates; this panel shows how it goes.")}</li>
        <li>${text("Then every image has a score: in the gallery, on hover, in the Explorer.")}</li>
      </ol>
      <div class="row">
        <vscode-button @click=${() => this.#command("leaf.newConfig")}>${text("New Config")}</vscode-button>
        <vscode-button appearance="secondary" @click=${() => this.#command("leaf.openDemo")}
          >${text("Open Demo Workspace")}</vscode-button
        >
      </div>
    </div>`;
  }

  #command(command: string) {
    void this.host.request("host/command", { command, config: null });
  }
}

customElements.define("leaf-begin", Begin);
