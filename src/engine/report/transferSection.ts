import type { Transfer } from "../../protocol/results.ts";
import { figure, interval } from "../../words/figure.ts";
import { type Html, html, name, section, table } from "./html.ts";

/** The students (rows) on datasets that they never saw (columns). */
export function transferSection(transfer: Transfer | undefined): Html | null {
  if (!transfer || transfer.datasets.length === 0) return null;
  const rows = transfer.rows.map(({ student, cells }) => [
    student === "calibrate" ? "CFT" : "TGD",
    ...cells.map((cell) =>
      cell === null
        ? "–"
        : html`SRCC ${figure(cell.srcc)} <span class="quiet">${interval(cell.ci95.srcc)}</span><br>PLCC ${figure(cell.plcc)} <span class="quiet">${interval(cell.ci95.plcc)}</span><br><span class="quiet">n = ${cell.n}${cell.far !== null && html`, ${cell.far} far`}</span>`,
    ),
  ]);
  return section(
    "Other datasets",
    table(["Student", ...transfer.datasets.map(name)], rows),
    html`<p class="quiet">No image of these was trained on. In brackets: 95 % bootstrap intervals over images. Far: unlike the images it was distilled on.</p>`,
  );
}
