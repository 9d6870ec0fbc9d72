import { css, html, nothing } from "lit";
import type { ProjectSnapshot, ScorerInfo } from "../../src/protocol/project.ts";
import { scoreFigure } from "../../src/words/score.ts";
import type { Host } from "../host.ts";
import { type Action, actionButton } from "../ui/actions.ts";
import "../ui/icon.ts";
import "../ui/refusal.ts";
import type { Heat } from "./heatMaps.ts";

/** Whether heat maps are laid over images, and how strongly: percent. */
export interface HeatChoice {
  shown: boolean;
  opacity: number;
}
export const noHeat: HeatChoice = { shown: false, opacity: 100 };

/** The embedded teacher has none. */
export const hasHeatMaps = (scorer: ScorerInfo | null): scorer is ScorerInfo => scorer?.kind === "student";

/** A switch, and while it is on the opacity, what the colours stand for, or why there is none. */
export function heatControls(
  host: Host,
  { scorer, folder }: ProjectSnapshot,
  choice: HeatChoice,
  heat: Heat | null,
  toggle: Action,
  does: { change(choice: HeatChoice): void; retry(): void },
) {
  if (!hasHeatMaps(scorer)) return nothing;
  const text = host.text;
  const waits = heat?.state === "waiting";
  return html`<div class="heat" aria-busy=${waits}>
    <div class="switch">
      ${actionButton(host, toggle, { class: "act", key: "after" })}
      ${waits ? html`<leaf-icon class="late" name="loading" spin></leaf-icon><span class="only-read" role="status">${text("The heat map is being made.")}</span>` : nothing}
    </div>
    ${
      heat?.state === "failed"
        ? html`<leaf-refusal .host=${host} .failure=${heat.failure} .folder=${folder} ?retriable=${heat.failure.code !== "input"} @retry=${does.retry}></leaf-refusal>`
        : heat
          ? html`${opacity(host, choice, does.change)}${legend(host, scorer, heat)}`
          : nothing
    }
  </div>`;
}

function opacity({ text }: Host, choice: HeatChoice, change: (choice: HeatChoice) => void) {
  return html`<label class="opacity"
    >${text("Opacity")}<input
      type="range"
      min="0"
      max="100"
      step="5"
      .value=${String(choice.opacity)}
      aria-valuetext="${choice.opacity} %"
      @input=${(event: Event) => change({ ...choice, opacity: (event.target as HTMLInputElement).valueAsNumber })}
    /><span class="figure percent" aria-hidden="true">${choice.opacity} %</span></label
  >`;
}

/** The same places while it is being made, so that nothing jumps from image to image. */
function legend({ text }: Host, { scale, lowerIsBetter }: ScorerInfo, heat: Heat) {
  const [worse, score, better] = heat.state === "there" ? heat.view.legend : [null, null, null];
  const entry = (value: number | null, words: string) =>
    html`<span><b>${scoreFigure(value, scale)}</b><br />${words}</span>`;
  return html`<div class="legend figure" role="group" aria-label=${text("What the colours stand for")}>
    <div class="colours" aria-hidden="true"></div>
    <div class="ends">${entry(worse, text("worse"))}${entry(score, text("score"))}${entry(better, text("better"))}</div>
    <p class="muted">
      ${lowerIsBetter ? text("Scores on {0} to {1}, lower is better", ...scale) : text("Scores on {0} to {1}", ...scale)}
      · <span class="swatch" aria-hidden="true"></span> ${text("not looked at")}
    </p>
  </div>`;
}

export const heatStyles = css`
  .heat {
    display: grid;
    gap: 6px;
    margin-bottom: 8px;
  }
  .switch,
  .opacity {
    display: flex;
    align-items: center;
    gap: 6px;
  }
  .switch .act[aria-pressed="true"] {
    color: var(--vscode-inputOption-activeForeground, inherit);
    background: var(--vscode-inputOption-activeBackground);
    border-color: var(--vscode-inputOption-activeBorder);
    outline: 1px solid var(--vscode-contrastActiveBorder, transparent);
  }
  .late {
    animation:
      appear 0.01s 0.35s both,
      spin 1.5s steps(30) infinite;
  }
  @keyframes appear {
    from {
      visibility: hidden;
    }
  }
  .opacity input {
    flex: 1 1 auto;
    min-width: 40px;
    padding: 0;
    border: 0;
    background: none;
    accent-color: var(--vscode-focusBorder);
  }
  .opacity .percent {
    min-width: 5ch;
    text-align: end;
  }
  .legend {
    forced-color-adjust: none;
  }
  /* The colours of src/engine/images/diverging.ts, mixed in OKLab as there. */
  .colours {
    height: 10px;
    border: 1px solid var(--vscode-contrastBorder, var(--vscode-widget-border, transparent));
    background: linear-gradient(in oklab to right, oklch(0.6 0.16 48), oklch(0.95 0 0), oklch(0.52 0.15 252));
  }
  .ends {
    display: grid;
    grid-template-columns: 1fr 1fr 1fr;
    line-height: 1.25;
    margin: 2px 0;
  }
  .ends :nth-child(2) {
    text-align: center;
  }
  .ends :nth-child(3) {
    text-align: end;
  }
  .swatch {
    display: inline-block;
    width: 10px;
    height: 10px;
    vertical-align: -1px;
    border: 1px solid currentColor;
    background: rgb(20 20 20 / 60%);
  }
`;
