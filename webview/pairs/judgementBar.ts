import { css, html, LitElement, nothing } from "lit";
import type { PairRow } from "../../src/protocol/images.ts";
import { figure, signed } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import { setStyle } from "../ui/setStyle.ts";
import { baseStyles } from "../ui/styles.ts";

/** Whose word stands, in one sentence: "Teacher: A is better, P = 0.83". */
export function preferenceText(host: Host, pair: PairRow): string {
  const { human } = pair;
  if (human === null) {
    if (pair.p === 0.5) return host.text("Teacher: no preference");
    const better = pair.p > 0.5 ? "A" : "B";
    return host.text("Teacher: {0} is better, P = {1}", better, figure(Math.max(pair.p, 1 - pair.p), 2));
  }
  if (human === 0.5) return host.text("You: the same");
  return host.text("You: {0} is better", human > 0.5 ? "A" : "B");
}

/** The preference for a pair as a bar from A to B, with confidence, both orders and position bias. */
class JudgementBar extends LitElement {
  static override properties = { host: { attribute: false }, pair: { attribute: false } };
  static override styles = [
    baseStyles,
    css`
      .line {
        display: flex;
        flex-wrap: wrap;
        justify-content: center;
        gap: 0 14px;
      }
      .word {
        font-weight: 600;
      }
      .bar {
        position: relative;
        height: 10px;
        margin: 3px 0;
        border: 1px solid var(--vscode-contrastBorder, var(--vscode-widget-border, var(--vscode-foreground)));
        border-radius: 2px;
        background: var(--vscode-editorWidget-background);
        overflow: hidden;
      }
      .share {
        position: absolute;
        inset: 0 auto 0 0;
        background: var(--vscode-charts-blue);
      }
      .human .share {
        background: var(--vscode-charts-purple);
      }
      .middle {
        position: absolute;
        inset: -2px auto -2px 50%;
        width: 1px;
        background: var(--vscode-foreground);
      }
      .tag {
        padding: 0 6px;
        border-radius: 8px;
        border: 1px solid var(--vscode-contrastBorder, transparent);
        background: var(--vscode-badge-background);
        color: var(--vscode-badge-foreground);
      }
    `,
  ];
  declare host: Host;
  declare pair: PairRow;

  protected override render() {
    const { host, pair } = this;
    const p = pair.human ?? pair.p;
    const words = preferenceText(host, pair);
    return html`<div class=${pair.human === null ? "" : "human"}>
      <div class="line">
        <span class="word">${words}</span>
        ${pair.human === null ? nothing : html`<span class="tag" title=${host.text("A person's word stands in the teacher's place: distill uses it with full confidence.")}>${host.text("overruled")}</span>`}
        ${pair.studentDisagrees ? html`<span class="tag" title=${host.text("The student gives the other image the higher score.")}>${host.text("student disagrees")}</span>` : nothing}
      </div>
      <div class="bar" role="img" aria-label=${words}>
        <div class="share" ${setStyle({ width: `${p * 100}%` })}></div>
        <div class="middle"></div>
      </div>
      <div class="line muted figure">${this.#details()}</div>
    </div>`;
  }

  #details() {
    const { host, pair } = this;
    if (pair.human !== null && pair.pAB === null)
      return html`<span>${host.text("The teacher was not asked.")}</span>`;
    const teacher =
      pair.human === null
        ? nothing
        : html`<span>${host.text("teacher P(A better) {0}", figure(pair.p, 2))}</span>`;
    const orders =
      pair.pAB === null || pair.pBA === null
        ? nothing
        : html`<span title=${host.text("P(A better) when A is shown first, and when B is shown first. The preference is their mean in logit space.")}
            >${host.text("P(A) when A first {0}, B first {1}", figure(pair.pAB, 2), figure(pair.pBA, 2))}</span
          >`;
    const bias =
      pair.positionBias === null
        ? nothing
        : html`<span title=${host.text("Difference of the two orders in logits: above 0 the teacher leans to whichever image comes first.")}
            >${host.text("position bias {0}", signed(pair.positionBias, 2))}</span
          >`;
    return html`${teacher}
      <span
        title=${host.text("1 − entropy of the preference: 0 is a coin toss, 1 is certain. Pairs under label.minConfidence are discarded.")}
        >${host.text("confidence {0}", figure(pair.confidence, 2))} · ${pair.kept ? host.text("kept") : host.text("discarded")}</span
      >
      ${orders} ${bias}`;
  }
}

customElements.define("leaf-judgement-bar", JudgementBar);
