import { css, html, LitElement, nothing } from "lit";
import type { TimedProgress } from "../../src/protocol/jobs.ts";
import { left } from "../../src/words/duration.ts";
import { counted, rate, stepWords } from "../../src/words/progress.ts";
import { render } from "../../src/words/text.ts";
import type { Host } from "../host.ts";
import { baseStyles } from "../ui/styles.ts";

/** A bar with counts, rate and time left. */
class ProgressBar extends LitElement {
  static override properties = { host: { attribute: false }, progress: { attribute: false } };
  static override styles = [
    baseStyles,
    css`
      progress {
        appearance: none;
        display: block;
        width: 100%;
        height: 6px;
        margin: 5px 0;
        border: 1px solid var(--vscode-contrastBorder, transparent);
        border-radius: 3px;
        overflow: hidden;
        background: transparent;
      }
      progress::-webkit-progress-bar {
        background: color-mix(in srgb, var(--vscode-progressBar-background) 22%, transparent);
      }
      progress::-webkit-progress-value {
        background: var(--vscode-progressBar-background);
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 0 12px;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];
  declare host: Host;
  declare progress: TimedProgress;

  protected override render() {
    const text = this.host.text;
    const { done, total, unit, detail, rate: speed, secondsLeft } = this.progress;
    const step = stepWords(text, this.progress.step);
    return html`<p>${step}</p>
      <progress aria-label=${step} max=${total ?? nothing} value=${total === undefined ? nothing : Math.min(done, total)}></progress>
      <div class="line"><span>${counted(text, this.progress)}</span><span>${left(text, secondsLeft)}</span></div>
      <div class="line muted">
        <span>${speed === null ? nothing : rate(text, speed, unit)}</span><span>${detail ? render(detail, text) : nothing}</span>
      </div>`;
  }
}

customElements.define("leaf-progress", ProgressBar);
