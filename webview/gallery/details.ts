import { css, html, LitElement, nothing } from "lit";
import type { ImageRow, TargetView } from "../../src/protocol/images.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { bytes, count, percent } from "../../src/words/figure.ts";
import {
  bands,
  bandWord,
  betterThan,
  confidenceText,
  fiveScale,
  mosText,
  scoreFigure,
  scoreText,
} from "../../src/words/score.ts";
import { render } from "../../src/words/text.ts";
import type { Host } from "../host.ts";
import { outOfDistributionMark, outOfDistributionStyles } from "../pictures/outOfDistribution.ts";
import "../pictures/pane.ts";
import type { Pictures } from "../pictures/pictures.ts";
import { fitted, type View } from "../pictures/viewport.ts";
import type { Action } from "../ui/actions.ts";
import { controlStyles } from "../ui/controls.ts";
import { setStyle } from "../ui/setStyle.ts";
import { baseStyles } from "../ui/styles.ts";
import { type HeatChoice, hasHeatMaps, heatControls, heatStyles, noHeat } from "./heatControls.ts";
import { createHeatMaps } from "./heatMaps.ts";
import { badgeStyles, scoreBadge } from "./scoreBadge.ts";

/** What is known of one image. Fires `pairs` (show its pairs) and `heat` (detail: HeatChoice, another way to show heat maps). */
class ImageDetails extends LitElement {
  static override properties = {
    host: { attribute: false },
    project: { attribute: false },
    pictures: { attribute: false },
    row: { attribute: false },
    heat: { attribute: false },
    heatToggle: { attribute: false },
    view: { state: true },
  };
  static override styles = [
    baseStyles,
    controlStyles,
    badgeStyles,
    heatStyles,
    outOfDistributionStyles,
    css`
      :host {
        overflow: auto;
        padding: 8px;
        container-type: inline-size;
      }
      leaf-image-pane {
        height: min(36vh, 260px);
        background: var(--vscode-editorWidget-background);
        margin-bottom: 6px;
      }
      @media (max-width: 620px) {
        leaf-image-pane {
          height: 18vh;
        }
      }
      h3 {
        overflow-wrap: anywhere;
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 4px 8px;
        margin: 8px 0;
      }
      @container (max-width: 250px) {
        dl {
          grid-template-columns: minmax(0, 1fr);
          gap: 0;
        }
        dd:not(:last-child) {
          margin-bottom: 6px;
        }
      }
      dt {
        color: var(--vscode-descriptionForeground);
      }
      dd {
        margin: 0;
        min-width: 0;
      }
      .words {
        display: grid;
        grid-template-columns: auto minmax(8px, 1fr) max-content;
        gap: 1px 6px;
        padding-right: 2px;
        align-items: center;
        margin-top: 2px;
      }
      .percent {
        white-space: nowrap;
      }
      .track {
        height: 8px;
        border: 1px solid var(--vscode-contrastBorder, var(--vscode-widget-border, transparent));
        background: var(--vscode-editorWidget-background);
      }
      .share {
        height: 100%;
        background: var(--vscode-charts-blue);
      }
    `,
  ];
  declare host: Host;
  declare project: ProjectSnapshot;
  declare pictures: Pictures;
  declare row: ImageRow;
  declare heat: HeatChoice;
  declare heatToggle: Action;
  declare view: View;
  #heatMaps = createHeatMaps(
    () => this.host,
    () => this.requestUpdate(),
  );

  constructor() {
    super();
    this.view = fitted;
    this.heat = noHeat;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if ((changed.get("row") as ImageRow | undefined)?.hash !== this.row.hash && changed.has("row"))
      this.view = fitted;
  }

  protected override render() {
    const { host, row, project } = this;
    const text = host.text;
    const by = hasHeatMaps(project.scorer) ? project.scorer.fingerprint : "";
    const heat = by && this.heat.shown ? this.#heatMaps.want(row, by) : null;
    return html`<leaf-image-pane
        .host=${host}
        .pictures=${this.pictures}
        .row=${row}
        .view=${this.view}
        .overlay=${heat?.state === "there" ? { address: heat.overlay, opacity: this.heat.opacity / 100 } : null}
        @overlaylost=${() => this.#heatMaps.lost(row, by)}
        @view=${(event: CustomEvent<View>) => {
          this.view = event.detail;
        }}
      ></leaf-image-pane>
      ${heatControls(host, project, this.heat, heat, this.heatToggle, {
        change: (detail) => this.dispatchEvent(new CustomEvent("heat", { detail })),
        retry: () => this.#heatMaps.forget(row, by),
      })}
      <h3>${row.path}</h3>
      <p class="muted figure">${count(row.width)}×${count(row.height)} · ${row.format.toUpperCase()} · ${bytes(row.size)} · ${row.split}</p>
      <dl class="figure">
        <dt>${text("Quality")}</dt>
        <dd>${this.#quality()}</dd>
        ${(row.targets ?? []).map((target) => html`<dt>${target.name}</dt><dd>${this.#target(target)}</dd>`)}
        ${row.teacher ? html`<dt>${row.teacher.human ? text("Your score") : text("Teacher")}</dt><dd>${this.#teacher(row.teacher)}</dd>` : nothing}
        ${row.teacher?.reason ? html`<dt title=${text("What limits the quality, in the teacher's words; no part of the score")}>${text("Reason")}</dt><dd>${row.teacher.reason}</dd>` : nothing}
        ${row.mos === null || !project.mos ? nothing : html`<dt title=${row.mosStd === undefined ? text("Mean opinion score: human truth") : text("Mean opinion score: human truth; ± the standard deviation of the opinions")}>MOS</dt><dd>${mosText(text, row, project.mos.range)}</dd>`}
        ${row.twins ? html`<dt title=${text("The same picture saved, scaled, cut or converted again")}>${text("Near duplicates")}</dt><dd>${count(row.twins.images - 1)}</dd>` : nothing}
        ${row.disagreement === null ? nothing : html`<dt title=${text("Distance of student and teacher, both on 1 to 5")}>${text("Disagreement")}</dt><dd>${scoreFigure(row.disagreement, fiveScale)}</dd>`}
      </dl>
      <button class="link" @click=${() => this.dispatchEvent(new CustomEvent("pairs"))}>${text("Show its pairs")}</button>`;
  }

  #quality() {
    const { host, row, project } = this;
    const { scorer } = project;
    if (row.score === null || !scorer) return html`<span class="muted">${host.text("not scored yet")}</span>`;
    return html`${scoreBadge(host, row.score, scorer, "scale", row.sd)}
      ${row.rank === null ? nothing : html`<br />${betterThan(host.text, row.rank)}`}
      <br /><span class="muted">${render(scorer.title, this.host.text)}</span>
      ${row.far && scorer.kind === "student" ? html`<br />${outOfDistributionMark(host, row, "full")}` : nothing}`;
  }

  #target({ score, sd, mos, scale, lowerIsBetter }: TargetView) {
    const text = this.host.text;
    const human =
      mos === null ? nothing : html` <span class="muted">MOS ${mosText(text, { mos }, scale)}</span>`;
    if (score === null) return html`<span class="muted">${text("not scored yet")}</span>${human}`;
    return html`${scoreText(text, score, scale, sd)}${lowerIsBetter ? html` <span class="muted">${text("lower is better")}</span>` : nothing}${human}`;
  }

  #teacher({ score, probabilities, confidence }: NonNullable<ImageRow["teacher"]>) {
    const { host } = this;
    if (!probabilities) return html`${scoreFigure(score, fiveScale)}`;
    return html`${scoreFigure(score, fiveScale)} <span class="muted">${confidenceText(host.text, confidence)}</span>
      <div class="words">
        ${bands.map(
          (word, at) => html`<span>${bandWord(host.text, word)}</span>
            <span class="track" aria-hidden="true"><div class="share" ${setStyle({ width: `${(probabilities[at] ?? 0) * 100}%` })}></div></span>
            <span class="percent">${percent(probabilities[at] ?? 0, 0)}</span>`,
        )}
      </div>`;
  }
}

customElements.define("leaf-image-details", ImageDetails);
