import { css, html, LitElement } from "lit";
import type { Host } from "../host.ts";
import "../ui/icon.ts";
import { baseStyles } from "../ui/styles.ts";
import type { LogLine } from "./log.ts";

/** The last lines; follows the end unless it was scrolled up. */
class LogTail extends LitElement {
  static override properties = { host: { attribute: false }, lines: { attribute: false } };
  static override styles = [
    baseStyles,
    css`
      .log {
        max-height: 260px;
        overflow: auto;
        margin-top: 6px;
        padding: 6px 8px;
        background: var(--vscode-textCodeBlock-background);
        border: 1px solid var(--vscode-contrastBorder, transparent);
        font-family: var(--vscode-editor-font-family);
        font-size: 0.92em;
      }
      .line {
        display: grid;
        grid-template-columns: auto 16px minmax(0, 1fr);
        gap: 6px;
        overflow-wrap: anywhere;
      }
      time {
        color: var(--vscode-descriptionForeground);
        font-variant-numeric: tabular-nums;
      }
      leaf-icon[name="warning"] {
        color: var(--vscode-editorWarning-foreground);
      }
      leaf-icon[name="error"] {
        color: var(--vscode-errorForeground);
      }
      .head {
        display: flex;
        justify-content: space-between;
      }
    `,
  ];
  declare host: Host;
  declare lines: LogLine[];
  #follows = true;

  protected override willUpdate(): void {
    const box = this.renderRoot.querySelector(".log");
    this.#follows = !box || box.scrollHeight - box.scrollTop - box.clientHeight < 24;
  }

  protected override render() {
    const text = this.host.text;
    return html`<div class="head">
        <h3>${text("Log")}</h3>
        <button class="link" @click=${() => this.host.request("host/command", { command: "leaf.showLog", config: null })}>
          ${text("Show whole log")}
        </button>
      </div>
      <div class="log" role="log" aria-live="off" tabindex="0" aria-label=${text("Log")}>
        ${this.lines.map(
          ({ at, level, text: words }) =>
            html`<div class="line">
              <time>${new Date(at).toTimeString().slice(0, 8)}</time>
              <leaf-icon name=${level === "info" ? "chevron-right" : level}></leaf-icon>
              <span>${level === "warning" ? html`<span class="only-read">${text("Warning:")} </span>` : ""}${words}</span>
            </div>`,
        )}
      </div>`;
  }

  protected override updated(): void {
    const box = this.renderRoot.querySelector(".log");
    if (box && this.#follows) box.scrollTop = box.scrollHeight;
  }
}

customElements.define("leaf-log-tail", LogTail);
