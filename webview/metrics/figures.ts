import { css, html, LitElement, nothing } from "lit";
import type { EvaluationView } from "../../src/protocol/server.ts";
import { ceilingText } from "../../src/words/ceiling.ts";
import { count, figure, interval } from "../../src/words/figure.ts";
import { groupsNote } from "../../src/words/groups.ts";
import { rangeText } from "../../src/words/score.ts";
import type { Host } from "../host.ts";
import { baseStyles } from "../ui/styles.ts";

/** The metrics of one evaluation, each with n and, where there is one, its 95 % interval. */
class Figures extends LitElement {
  static override properties = { host: { attribute: false }, view: { attribute: false } };
  static override styles = [
    baseStyles,
    css`
      dl {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(128px, 1fr));
        gap: 14px 20px;
        margin: 0;
      }
      dt {
        color: var(--vscode-descriptionForeground);
      }
      dd {
        margin: 0;
        font-variant-numeric: tabular-nums;
      }
      .value {
        font-size: 1.7em;
        line-height: 1.2;
      }
    `,
  ];
  declare host: Host;
  declare view: EvaluationView;

  protected override render() {
    const text = this.host.text;
    const { evaluation, range } = this.view;
    const { n, srcc, plcc, plccLogistic, krcc, rmse, ci95, groups } = evaluation;
    const rows = [
      { name: "SRCC", title: text("Spearman rank correlation"), value: srcc, ci: ci95.srcc },
      {
        name: text("PLCC, raw"),
        title: text("Pearson correlation of the raw scores"),
        value: plcc,
        ci: ci95.plcc,
      },
      {
        name: text("PLCC, after fit"),
        title: text("Pearson correlation after the 4-parameter logistic fit"),
        value: plccLogistic,
        ci: null,
      },
      { name: "KRCC", title: text("Kendall rank correlation (tau-b)"), value: krcc, ci: null },
      {
        name: "RMSE",
        title: text("Root mean square error, in MOS points; lower is better"),
        value: rmse,
        ci: null,
        unit: text("MOS points of {0}", rangeText(text, range)),
      },
    ];
    const { ceiling } = evaluation;
    return html`${ceiling ? html`<p class="ceiling">${ceilingText(text, ceiling)}</p>` : nothing}<dl>
      ${rows.map(
        ({ name, title, value, ci, unit }) =>
          html`<div title=${title}>
            <dt>${name}</dt>
            <dd>
              <div class="value">${figure(value)}</div>
              <div class="muted">${ci ? text("95 %: {0}", interval(ci)) : (unit ?? nothing)}</div>
              <div class="muted">n = ${count(n)}</div>
            </dd>
          </div>`,
      )}
    </dl>
    ${groups === undefined ? nothing : html`<p class="muted">${groupsNote(text, groups)}</p>`}`;
  }
}

customElements.define("leaf-figures", Figures);
