import { css, html, LitElement, nothing } from "lit";
import type { TimedProgress } from "../../src/protocol/jobs.ts";
import type { ProjectSnapshot, StageFailures, StageSnapshot } from "../../src/protocol/project.ts";
import { ago } from "../../src/words/duration.ts";
import { count } from "../../src/words/figure.ts";
import { workTitle } from "../../src/words/titles.ts";
import { whyWords } from "../../src/words/why.ts";
import type { Host } from "../host.ts";
import type { IconName } from "../ui/icon.ts";
import "../ui/icon.ts";
import { baseStyles } from "../ui/styles.ts";
import "./progress.ts";
import { stagePurpose } from "./words.ts";

const icons: Record<StageSnapshot["state"], IconName> = {
  fresh: "pass-filled",
  stale: "history",
  missing: "circle-large-outline",
  running: "sync",
  failed: "error",
};

/** The stages in their order: state, why, last result, and progress where one is under way. */
class Stepper extends LitElement {
  static override properties = { host: { attribute: false }, project: { attribute: false } };
  static override styles = [
    baseStyles,
    css`
      ol {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        display: grid;
        grid-template-columns: 16px minmax(0, 1fr);
        gap: 0 10px;
        position: relative;
        padding-bottom: 14px;
      }
      li:not(:last-child)::before {
        content: "";
        position: absolute;
        left: 7px;
        top: 22px;
        bottom: 2px;
        border-left: 2px solid var(--vscode-panel-border, var(--vscode-contrastBorder));
      }
      leaf-icon {
        margin-top: 2px;
      }
      .fresh > leaf-icon {
        color: var(--vscode-testing-iconPassed);
      }
      .stale > leaf-icon {
        color: var(--vscode-editorWarning-foreground);
      }
      .failed > leaf-icon {
        color: var(--vscode-errorForeground);
      }
      .title {
        display: flex;
        align-items: baseline;
        gap: 8px;
      }
      .title h3 {
        flex: 1 1 auto;
      }
      .state {
        font-weight: normal;
      }
      p {
        overflow-wrap: anywhere;
      }
      .failures {
        display: grid;
        gap: 2px;
        justify-items: start;
        margin: 4px 0;
      }
      .failures .count {
        display: flex;
        align-items: center;
        gap: 6px;
        font-weight: 600;
      }
      .failures .count leaf-icon {
        margin: 0;
        color: var(--vscode-editorWarning-foreground);
      }
      button.run {
        align-self: start;
        display: inline-flex;
        padding: 1px;
        margin: -2px 0;
      }
    `,
  ];
  declare host: Host;
  declare project: ProjectSnapshot;

  protected override render() {
    const running = this.project.job?.state === "running";
    return html`<ol aria-label=${this.host.text("Stages")}>
      ${this.project.stages.map((stage) => this.#stage(stage, running))}
    </ol>`;
  }

  #stage(snapshot: StageSnapshot, running: boolean) {
    const text = this.host.text;
    const { stage, state, reason, headline, run, updated, failures } = snapshot;
    const progress = this.#progressOf(stage);
    const active = state === "running" || progress !== null;
    const title = workTitle(text, stage);
    const why = whyWords(text, reason);
    return html`<li class=${active ? "running" : state} aria-current=${active ? "step" : nothing}>
      <leaf-icon name=${active ? "sync" : icons[state]} ?spin=${active}></leaf-icon>
      <div>
        <div class="title">
          <h3>${title} <span class="state muted">${active ? text("running") : stateWord(text, state)}</span></h3>
          ${
            running || this.project.invalid
              ? nothing
              : html`<button class="run" title=${text("Run this stage: {0}", title)} aria-label=${text("Run this stage: {0}", title)} @click=${() => this.#run(stage)}>
                  <leaf-icon name="play"></leaf-icon>
                </button>`
          }
        </div>
        ${active ? nothing : html`<p class=${state === "failed" ? "poor" : "muted"}>${why}</p>`}
        ${headline && !active ? html`<p>${unbroken(state === "stale" ? text("Last: {0}", headline) : headline)}</p>` : nothing}
        ${failures && !active ? this.#failures(stage, failures) : nothing}
        ${headline || active ? nothing : html`<p class="muted">${stagePurpose(text, stage)}</p>`}
        ${!active && updated ? html`<p class="muted">${[run, ago(text, updated, Date.now())].filter(Boolean).join(" · ")}</p>` : nothing}
        ${progress ? html`<leaf-progress .host=${this.host} .progress=${progress}></leaf-progress>` : nothing}
      </div>
    </li>`;
  }

  /** A few by name; of many, how often each reason came. */
  #failures(stage: StageSnapshot["stage"], { total, first, reasons, list }: StageFailures) {
    const text = this.host.text;
    const lines =
      total <= shownFailures
        ? first.map(({ file, other, line, reason }) => {
            const name = other
              ? text("{0} and {1}", file, other)
              : line === undefined
                ? file
                : `${file}:${line}`;
            return html`<p>${name}: <span class="muted">${reason}</span></p>`;
          })
        : reasons
            .slice(0, shownFailures)
            .map(
              ({ reason, count: times }) =>
                html`<p>${count(times)} × <span class="muted">${reason}</span></p>`,
            );
    const show = () =>
      this.host.request("host/command", {
        command: "leaf.showFailures",
        config: this.project.config,
        argument: stage,
      });
    return html`<div class="failures">
      <p class="count"><leaf-icon name="warning"></leaf-icon>${text("{0} failed", count(total))}</p>
      ${lines}
      ${
        list
          ? html`<button class="link" @click=${show}>
              ${total > shownFailures ? text("Show all {0} failures", count(total)) : text("Show failures")}
            </button>`
          : nothing
      }
    </div>`;
  }

  #progressOf(stage: StageSnapshot["stage"]): TimedProgress | null {
    const { job } = this.project;
    return job?.state === "running" && job.progress?.stage === stage ? job.progress : null;
  }

  #run(stage: StageSnapshot["stage"]) {
    void this.host.request("host/command", { command: `leaf.${stage}`, config: this.project.config });
  }
}

const shownFailures = 3;

/** "n = 80" stays on one line. */
const unbroken = (words: string) => words.replaceAll(" = ", "\u00a0=\u00a0");

function stateWord(text: Host["text"], state: StageSnapshot["state"]): string {
  switch (state) {
    case "fresh":
      return text("fresh");
    case "stale":
      return text("stale");
    case "missing":
      return text("not run yet");
    case "running":
      return text("running");
    case "failed":
      return text("failed");
  }
}

customElements.define("leaf-stepper", Stepper);
