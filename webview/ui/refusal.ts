import { css, html, LitElement, nothing } from "lit";
import type { Failure } from "../../src/protocol/jobs.ts";
import { type Host, RefusedRequest } from "../host.ts";
import "./icon.ts";
import { baseStyles } from "./styles.ts";

export function failureOf(error: unknown): Failure {
  if (error instanceof RefusedRequest) return error.failure;
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}

/** What went wrong, to which file, and the way out: `<leaf-refusal .host .failure>`. Fires `retry` where `retriable`. */
class Refusal extends LitElement {
  static override properties = {
    host: { attribute: false },
    failure: { attribute: false },
    folder: { attribute: false },
    retriable: { type: Boolean },
  };
  static override styles = [
    baseStyles,
    css`
      .box {
        display: flex;
        gap: 8px;
        padding: 8px 12px;
        border: 1px solid var(--vscode-inputValidation-errorBorder, var(--vscode-contrastBorder));
        background: var(--vscode-inputValidation-errorBackground);
        color: var(--vscode-inputValidation-errorForeground, var(--vscode-foreground));
        border-radius: 4px;
        overflow-wrap: anywhere;
      }
      leaf-icon {
        color: var(--vscode-errorForeground);
        margin-top: 1px;
      }
      .remedy {
        margin-top: 2px;
      }
      .row {
        margin-top: 4px;
        gap: 16px;
      }
    `,
  ];
  declare host: Host;
  declare failure: Failure;
  /** URI of the folder that a relative file of the failure is in. */
  declare folder: string | undefined;
  declare retriable: boolean;

  protected override render() {
    const { message, remedy, file, code } = this.failure;
    const text = this.host.text;
    const environment = code === "environment";
    const uri = file ? this.#uriOf(file) : null;
    return html`<div class="box" role="alert">
      <leaf-icon name="error"></leaf-icon>
      <div class="grow">
        <p>${message}</p>
        ${remedy ? html`<p class="remedy">${remedy}</p>` : nothing}
        ${
          uri || environment || this.retriable
            ? html`<div class="row">
              ${uri ? html`<button class="link" @click=${() => this.host.request("host/openFile", { uri })}>${text("Open {0}", uri.slice(uri.lastIndexOf("/") + 1))}</button>` : nothing}
              ${environment ? html`<button class="link" @click=${this.#setUp}>${text("Set Up Training Environment")}</button>` : nothing}
              ${this.retriable ? html`<button class="link" @click=${() => this.dispatchEvent(new CustomEvent("retry"))}>${text("Try again")}</button>` : nothing}
            </div>`
            : nothing
        }
      </div>
    </div>`;
  }

  #uriOf(file: string): string | null {
    if (file.startsWith("file:")) return file;
    if (file.startsWith("/")) return `file://${file.split("/").map(encodeURIComponent).join("/")}`;
    return this.folder ? `${this.folder}/${file.split("/").map(encodeURIComponent).join("/")}` : null;
  }

  #setUp() {
    void this.host.request("host/command", { command: "leaf.setUpEnvironment", config: null });
  }
}

customElements.define("leaf-refusal", Refusal);
