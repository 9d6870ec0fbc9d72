import { css, html, LitElement } from "lit";
import type { PanelTab } from "../../src/protocol/panel.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { tabTitles } from "../../src/words/titles.ts";
import type { Host } from "../host.ts";
import type { IconName } from "../ui/icon.ts";
import "../ui/icon.ts";
import { baseStyles } from "../ui/styles.ts";

/** Before the first run: what it will bring, and in which tab. Fires `go`. */
class WhatComes extends LitElement {
  static override properties = { host: { attribute: false }, project: { attribute: false } };
  static override styles = [
    baseStyles,
    css`
      ul {
        list-style: none;
        margin: 12px 0 0;
        padding: 0;
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(max(230px, 34%), 100%), 1fr));
        gap: 10px;
      }
      li {
        border: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, transparent));
        border-radius: 4px;
        padding: 10px 12px 12px;
      }
      li > .row {
        gap: 6px;
        margin-bottom: 4px;
      }
      leaf-icon {
        color: var(--vscode-descriptionForeground);
      }
    `,
  ];
  declare host: Host;
  declare project: ProjectSnapshot;

  protected override render() {
    const text = this.host.text;
    const { mos } = this.project;
    return html`<h3>${text("What a run brings")}</h3>
      <ul>
        ${this.#card("graph-line", "run", text("Loss and validation curves are drawn here while the student trains."))}
        ${this.#card("git-compare", "pairs", text("Which of two images the teacher prefers, and how sure it is. One key overrules it."))}
        ${this.#card("file-media", "gallery", text("Every image with its score, worst first. The Explorer and hovers show the scores too."))}
        ${
          mos?.rated
            ? this.#card(
                "graph-scatter",
                "metrics",
                text("How well the scores agree with people, and the worst errors as images."),
              )
            : this.#card(
                "star-empty",
                "rate",
                text(
                  "There are no human scores yet. Some ratings of yours put the scores onto your scale and show how far to trust them.",
                ),
              )
        }
      </ul>`;
  }

  #card(icon: IconName, tab: PanelTab, words: string) {
    const title = tabTitles(this.host.text)[tab];
    return html`<li>
      <div class="row">
        <leaf-icon name=${icon}></leaf-icon>
        ${
          tab === "run"
            ? html`<b>${title}</b>`
            : html`<button class="link" @click=${() => this.dispatchEvent(new CustomEvent("go", { detail: tab }))}><b>${title}</b></button>`
        }
      </div>
      <p class="muted">${words}</p>
    </li>`;
  }
}

customElements.define("leaf-what-comes", WhatComes);
