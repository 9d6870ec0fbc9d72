import { css, html, LitElement, nothing } from "lit";
import type { PanelTab } from "../../src/protocol/panel.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { ago, duration } from "../../src/words/duration.ts";
import { count } from "../../src/words/figure.ts";
import { workTitle } from "../../src/words/titles.ts";
import type { Host } from "../host.ts";
import "../ui/button.ts";
import "../ui/icon.ts";
import "../ui/refusal.ts";
import { baseStyles } from "../ui/styles.ts";

export function neverRan({ stages, job }: ProjectSnapshot): boolean {
  return !job && stages.every(({ state, headline }) => state === "missing" && !headline);
}

/** Where the project stands in one sentence, and what to do next. Fires `stop` and `go`. */
class Outcome extends LitElement {
  static override properties = {
    host: { attribute: false },
    project: { attribute: false },
    stopping: { type: Boolean },
  };
  static override styles = [
    baseStyles,
    css`
      .top {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
      }
      h2 {
        display: flex;
        gap: 8px;
        align-items: center;
      }
      .words {
        flex: 1 1 260px;
        min-width: 0;
      }
      leaf-refusal {
        margin-top: 10px;
      }
      .done {
        color: var(--vscode-testing-iconPassed);
      }
    `,
  ];
  declare host: Host;
  declare project: ProjectSnapshot;
  declare stopping: boolean;

  protected override render() {
    const { job, invalid, invalidAt, stale, images } = this.project;
    const text = this.host.text;
    if (job?.state === "running") return this.#running();
    if (invalid) {
      return html`<h2>${text("The config has an error")}</h2>
        <leaf-refusal
          .host=${this.host}
          .failure=${{
            code: "config",
            message: invalidAt
              ? text("{0}, line {1}: {2}", invalidAt.file, invalidAt.line, invalidAt.message)
              : invalid,
            remedy: text("Nothing can run until this is fixed."),
            file: this.project.config,
          }}
        ></leaf-refusal>`;
    }
    if (neverRan(this.project)) return this.#begin(images?.usable ?? null);
    const ended = job ? this.#ended(job) : nothing;
    const sentence =
      stale === 0
        ? text("Every stage is fresh")
        : stale === 1
          ? text("1 stage to run")
          : text("{0} stages to run", stale);
    return html`<div class="top">
        <div class="words">
          <h2 aria-live="polite">${stale === 0 && !job?.failure ? html`<leaf-icon class="done" name="pass-filled"></leaf-icon>` : nothing}${sentence}</h2>
          ${ended}
        </div>
        <div class="row">${this.#actions(stale)}</div>
      </div>
      ${
        job?.failure
          ? html`<leaf-refusal .host=${this.host} .failure=${job.failure} .folder=${this.project.folder}></leaf-refusal>`
          : nothing
      }`;
  }

  #running() {
    const text = this.host.text;
    const job = this.project.job!;
    const { progress } = job;
    const elsewhere = progress && !this.project.stages.some(({ stage }) => stage === progress.stage);
    return html`<div class="top">
        <div class="words">
          <h2 aria-live="polite"><leaf-icon name="loading" spin></leaf-icon>${workTitle(text, job.kind)}</h2>
          <p class="muted">${text("Started {0}. It goes on when this panel is closed.", ago(text, job.started, Date.now()))}</p>
        </div>
        <vscode-button
          appearance="secondary"
          title=${text("Stop (what is finished is kept)")}
          ?disabled=${this.stopping}
          @click=${() => this.dispatchEvent(new CustomEvent("stop"))}
          >${this.stopping ? text("Stopping…") : text("Stop")}</vscode-button
        >
      </div>
      ${elsewhere ? html`<leaf-progress .host=${this.host} .progress=${progress}></leaf-progress>` : nothing}`;
  }

  #begin(usable: number | null) {
    const text = this.host.text;
    const { imagesName } = this.project;
    const words =
      usable === null
        ? text("{0} is being read.", imagesName)
        : usable === 0
          ? text("There is no image in {0} yet. Put some there, or change images: in leaf.yaml.", imagesName)
          : text(
              "{0} images in {1}. Run Pipeline carries them through the four stages below; then every image has a score.",
              count(usable),
              imagesName,
            );
    return html`<div class="top">
      <div class="words">
        <h2 aria-live="polite">${text("Nothing has run yet")}</h2>
        <p>${words}</p>
      </div>
      ${
        usable === 0
          ? html`<vscode-button @click=${() => this.host.request("host/openFile", { uri: this.project.config })}>${text("Open leaf.yaml")}</vscode-button>`
          : this.#run(true)
      }
    </div>`;
  }

  #ended(job: NonNullable<ProjectSnapshot["job"]>) {
    const text = this.host.text;
    const title = workTitle(text, job.kind);
    const took = duration(text, (Date.parse(job.ended ?? job.started) - Date.parse(job.started)) / 1000);
    const words = {
      running: "",
      done: text("{0} took {1}, {2}.", title, took, ago(text, job.ended ?? job.started, Date.now())),
      cancelled: text("{0} was stopped. What was finished is kept; the next run goes on from there.", title),
      failed: text("{0} failed after {1}.", title, took),
    }[job.state];
    return html`<p class="muted">${words}</p>`;
  }

  #actions(stale: number) {
    const text = this.host.text;
    const { stages, mos } = this.project;
    const evaluated = stages.some(({ stage, headline }) => stage === "evaluate" && headline);
    const trained = stages.some(({ stage, headline }) => stage === "distill" && headline);
    return html`${stale > 0 ? this.#run(true) : nothing}
      ${evaluated ? this.#go("metrics", text("See metrics")) : nothing}
      ${trained && !mos?.rated ? this.#go("rate", text("Rate images")) : nothing}
      ${trained ? this.#go("gallery", text("Open gallery")) : nothing}`;
  }

  #run(primary: boolean) {
    const text = this.host.text;
    return html`<vscode-button
      appearance=${primary ? "primary" : "secondary"}
      @click=${() => this.host.request("host/command", { command: "leaf.run", config: this.project.config })}
      >${text("Run Pipeline")}</vscode-button
    >`;
  }

  #go(tab: PanelTab, words: string) {
    return html`<vscode-button appearance="secondary" @click=${() => this.dispatchEvent(new CustomEvent("go", { detail: tab }))}
      >${words}</vscode-button
    >`;
  }
}

customElements.define("leaf-outcome", Outcome);
