import { html, nothing } from "lit";
import type { ImageRow } from "../../src/protocol/images.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { figure } from "../../src/words/figure.ts";
import { mosFigure, scoreFigure } from "../../src/words/score.ts";
import { render } from "../../src/words/text.ts";
import type { Host } from "../host.ts";
import { outOfDistributionMark } from "../pictures/outOfDistribution.ts";

/** An image's name, and what the student, the teacher and people say of it. */
export function pairCaption(host: Host, project: ProjectSnapshot, side: "A" | "B", row: ImageRow) {
  const text = host.text;
  const { scorer, mos } = project;
  const name = row.path.slice(row.path.lastIndexOf("/") + 1);
  const open = () => void host.request("host/openFile", { uri: row.uri, beside: true });
  return html`<figcaption class="caption ${side}">
    <button class="link name" title=${text("Open {0} beside", row.path)} @click=${open}><b>${side}</b><span>${name}</span></button>
    <span class="figures figure">
      ${
        row.score === null || !scorer
          ? nothing
          : html`<span title=${render(scorer.title, host.text)}
            >${scorer.kind === "student" ? text("student") : text("embedded teacher")} <b>${scoreFigure(row.score, scorer.scale)}</b></span
          >${scorer.kind === "student" ? outOfDistributionMark(host, row, "short") : nothing}`
      }
      ${
        row.teacher
          ? html`<span>${row.teacher.human ? text("your score") : text("teacher")} <b>${figure(row.teacher.score, 2)}</b></span>`
          : nothing
      }
      ${row.mos === null || !mos ? nothing : html`<span>MOS <b>${mosFigure(row, mos.range)}</b></span>`}
    </span>
  </figcaption>`;
}
