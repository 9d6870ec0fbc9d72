import { css, html, LitElement, nothing } from "lit";
import type { Transfer, TransferCell } from "../../src/protocol/results.ts";
import { count, figure, interval } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import { baseStyles, tableStyles } from "../ui/styles.ts";

/** The students (rows) on datasets that they never saw (columns). Nothing where there are none. */
class TransferTable extends LitElement {
  static override properties = { host: { attribute: false }, transfer: { attribute: false } };
  static override styles = [
    baseStyles,
    tableStyles,
    css`
      table {
        width: auto;
      }
      thead th {
        max-width: 32ch;
        white-space: normal;
        overflow-wrap: anywhere;
      }
      td {
        min-width: 22ch;
        font-variant-numeric: tabular-nums;
      }
      td div {
        white-space: nowrap;
      }
    `,
  ];
  declare host: Host;
  declare transfer: Transfer | undefined;

  protected override render() {
    const text = this.host.text;
    const { transfer } = this;
    if (!transfer || transfer.datasets.length === 0) return nothing;
    return html`<h2>${text("On other datasets")}</h2>
      <div class="scroll">
        <table>
          <caption class="muted">
            ${text("No student learned from these images. Intervals are 95 %, by bootstrap over images. Far: unlike the images that it was distilled on.")}
          </caption>
          <thead>
            <tr>
              <th scope="col">${text("Student")}</th>
              ${transfer.datasets.map((name) => html`<th scope="col"><bdi>${name}</bdi></th>`)}
            </tr>
          </thead>
          <tbody>
            ${transfer.rows.map(
              ({ student, cells }) =>
                html`<tr>
                  <th scope="row">${student === "calibrate" ? text("Calibrated (CFT)") : text("Distilled (TGD)")}</th>
                  ${transfer.datasets.map((_, at) => this.#cell(cells[at] ?? null))}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`;
  }

  #cell(cell: TransferCell | null) {
    const text = this.host.text;
    if (!cell) return html`<td class="muted">${text("too few images to compare")}</td>`;
    const { n, srcc, plcc, ci95, far, failed, seen } = cell;
    const facts = [
      `n = ${count(n)}`,
      far === null ? "" : text("{0} far", count(far)),
      seen > 0 ? text("{0} seen in training left out", count(seen)) : "",
      failed > 0 ? text("{0} could not be scored", count(failed)) : "",
    ].filter((fact) => fact !== "");
    return html`<td>
      <div>SRCC ${figure(srcc)} <span class="muted">${interval(ci95.srcc)}</span></div>
      <div>PLCC ${figure(plcc)} <span class="muted">${interval(ci95.plcc)}</span></div>
      <span class="muted">${facts.join(" · ")}</span>
    </td>`;
  }
}

customElements.define("leaf-transfer", TransferTable);
