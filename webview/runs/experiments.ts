import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import type { ExperimentSummary } from "../../src/protocol/experiments.ts";
import type { Failure } from "../../src/protocol/jobs.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import type { ExperimentView } from "../../src/protocol/server.ts";
import { ago } from "../../src/words/duration.ts";
import { count } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import "../ui/button.ts";
import "../ui/icon.ts";
import { failureOf } from "../ui/refusal.ts";
import { baseStyles } from "../ui/styles.ts";
import "../ui/waiting.ts";
import "./experiment.ts";

/** The experiments of a project, how far each is, and the figures of the one that is open. Fires `open` (its URI, or null). */
class Experiments extends LitElement {
  static override properties = {
    host: { attribute: false },
    project: { attribute: false },
    list: { attribute: false },
    open: { attribute: false },
    view: { state: true },
    failure: { state: true },
  };
  static override styles = [
    baseStyles,
    css`
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 6px 16px;
      }
      ul {
        list-style: none;
        margin: 8px 0 0;
        padding: 0;
        border-top: 1px solid var(--vscode-editorGroup-border, var(--vscode-contrastBorder));
      }
      li {
        border-bottom: 1px solid var(--vscode-editorGroup-border, var(--vscode-contrastBorder));
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px 12px;
        min-height: 32px;
        padding: 2px 4px;
      }
      .name {
        display: flex;
        align-items: center;
        gap: 4px;
        font-weight: 600;
        min-width: 0;
        overflow-wrap: anywhere;
        text-align: start;
      }
      .name leaf-icon {
        flex: none;
      }
      .name[aria-expanded="true"] leaf-icon {
        transform: rotate(90deg);
      }
      .tools {
        display: flex;
        flex: none;
        gap: 2px;
        margin-inline-start: auto;
      }
      progress {
        appearance: none;
        width: 140px;
        height: 6px;
        border: 1px solid var(--vscode-contrastBorder, transparent);
        border-radius: 3px;
        overflow: hidden;
      }
      progress::-webkit-progress-bar {
        background: color-mix(in srgb, var(--vscode-progressBar-background) 22%, transparent);
      }
      progress::-webkit-progress-value {
        background: var(--vscode-progressBar-background);
      }
      .body {
        padding: 4px 4px 18px 24px;
      }
      .why {
        overflow-wrap: anywhere;
      }
      .none {
        max-width: 76ch;
        margin-top: 4px;
      }
    `,
  ];
  declare host: Host;
  declare project: ProjectSnapshot;
  declare list: ExperimentSummary[];
  declare open: string | null;
  declare view: ExperimentView | undefined;
  declare failure: Failure | undefined;
  #asked = "";

  protected override willUpdate(_: PropertyValues): void {
    const one = this.list.find(({ experiment }) => experiment === this.open);
    const asked = one ? [one.experiment, one.updated, one.stale, one.invalid].join(" ") : "";
    if (asked === this.#asked) return;
    // A growing table stays while its next state is fetched; another experiment's does not.
    if (!one || !this.#asked.startsWith(`${one.experiment} `)) this.view = undefined;
    this.#asked = asked;
    this.failure = undefined;
    if (one) void this.#load(one.experiment, asked);
  }

  async #load(experiment: string, asked: string) {
    try {
      const view = await this.host.request("leaf/experiment", { experiment });
      if (asked === this.#asked) this.view = view;
    } catch (error) {
      if (asked === this.#asked) this.failure = failureOf(error);
    }
  }

  protected override render() {
    const text = this.host.text;
    const { list } = this;
    return html`<div class="head">
        <h2>${text("Experiments")}</h2>
        <vscode-button appearance="secondary" @click=${() => this.#command("leaf.newExperiment", this.project.config)}
          >${text("New Experiment…")}</vscode-button
        >
      </div>
      ${
        list.length === 0
          ? html`<p class="none muted">
              ${text("A file NAME.experiment.yaml beside the config says which variants of it to train, under which seeds, and what to compare: ablations and significance tests come out as one table.")}
            </p>`
          : html`<ul>${list.map((one) => this.#item(one))}</ul>`
      }`;
  }

  #item(one: ExperimentSummary) {
    const { experiment, name, invalid } = one;
    const text = this.host.text;
    const isOpen = experiment === this.open;
    const toggle = () => this.dispatchEvent(new CustomEvent("open", { detail: isOpen ? null : experiment }));
    const openFile = () => this.host.request("host/openFile", { uri: experiment, beside: true });
    return html`<li>
      <div class="line">
        <button class="name" aria-expanded=${String(isOpen)} @click=${toggle}>
          <leaf-icon name="chevron-right"></leaf-icon><bdi>${name}</bdi>
        </button>
        ${this.#state(one)}
        <span class="tools">
          ${this.#runTool(one)}
          ${this.#tool("go-to-file", text("Open the file of {0}", name), openFile)}
        </span>
      </div>
      ${
        isOpen
          ? html`<div class="body">
              ${invalid ? html`<p class="why poor">${invalid}</p>` : nothing}
              ${this.#body(one)}
            </div>`
          : nothing
      }
    </li>`;
  }

  #body(one: ExperimentSummary) {
    const { host, view, failure } = this;
    const text = host.text;
    if (failure) return html`<leaf-refusal .host=${host} .failure=${failure}></leaf-refusal>`;
    if (!view) return html`<leaf-waiting></leaf-waiting>`;
    if (!view.result) {
      if (one.invalid) return nothing;
      return html`<p class="muted">${text("It has not been run yet.")}</p>`;
    }
    return html`<leaf-experiment .host=${host} experiment=${one.experiment} .result=${view.result} ?stale=${view.stale}></leaf-experiment>`;
  }

  #state({ experiment, done, failed, total, stale, invalid, updated }: ExperimentSummary) {
    const text = this.host.text;
    const job = this.#jobOf(experiment);
    const overall = job?.progress?.overall;
    const [ended, all] = overall ? [overall.done, overall.total] : [done + failed, total];
    const words = [
      job ? html`<span>${text("running")}</span>` : nothing,
      invalid ? html`<span class="poor">${text("cannot run")}</span>` : nothing,
      stale && !job
        ? html`<span class="warning" title=${text("The file or its config has changed since the table was made.")}>${text("stale")}</span>`
        : nothing,
      !job && updated === null
        ? invalid
          ? nothing
          : html`<span class="muted">${text("not run yet · {0} trainings", count(total))}</span>`
        : html`<span class="figure">${text("{0} of {1} done", count(done), count(total))}</span>`,
      failed > 0 ? html`<span class="poor">${text("{0} failed", count(failed))}</span>` : nothing,
      updated && !job ? html`<span class="muted">${ago(text, updated, Date.now())}</span>` : nothing,
    ];
    const bar =
      job || (updated !== null && !stale && ended < all)
        ? html`<progress aria-label=${text("{0} of {1} trainings", count(ended), count(all))} max=${Math.max(all, 1)} value=${Math.min(ended, all)}></progress>`
        : nothing;
    return html`${bar}${words}`;
  }

  #jobOf(experiment: string) {
    const { job } = this.project;
    return job?.state === "running" && job.experiment === experiment ? job : null;
  }

  #runTool({ experiment, name, invalid }: ExperimentSummary) {
    const text = this.host.text;
    if (this.#jobOf(experiment))
      return this.#tool("debug-stop", text("Stop {0}", name), () =>
        this.#command("leaf.stop", this.project.config),
      );
    const busy = this.project.job?.state === "running";
    const title = invalid
      ? text("{0} cannot run: its file has a problem", name)
      : busy
        ? text("Another job of this project is running")
        : text("Run {0}: does what is missing", name);
    return this.#tool(
      "play",
      title,
      () => this.#command("leaf.runExperiment", experiment),
      busy || invalid !== null,
    );
  }

  #tool(icon: "play" | "debug-stop" | "go-to-file", title: string, act: () => void, disabled = false) {
    return html`<button class="icon" title=${title} aria-label=${title} ?disabled=${disabled} @click=${act}>
      <leaf-icon name=${icon}></leaf-icon>
    </button>`;
  }

  #command(command: string, config: string) {
    void this.host.request("host/command", { command, config });
  }
}

customElements.define("leaf-experiments", Experiments);
