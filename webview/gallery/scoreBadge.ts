import { css, html } from "lit";
import type { ScorerInfo } from "../../src/protocol/project.ts";
import { bandOf, bandWord, scoreFigure, scoreText } from "../../src/words/score.ts";
import { render } from "../../src/words/text.ts";
import type { Host } from "../host.ts";

/** A score with its quality band. */
export function scoreBadge(
  host: Host,
  score: number | null,
  scorer: ScorerInfo | null,
  withScale?: "scale",
  sd?: number,
) {
  if (score === null || !scorer) {
    return html`<span class="badge none" title=${host.text("Not scored yet")}>–</span>`;
  }
  const band = bandOf(score, scorer);
  const shown = withScale ? scoreText(host.text, score, scorer.scale, sd) : scoreFigure(score, scorer.scale);
  return html`<span class="badge of-${band}" title="${bandWord(host.text, band)} (${render(scorer.title, host.text)})"
    ><i></i>${shown}</span
  >`;
}

/** The score as a number beside a mark of its band: filled steps and colour say the same. */
export const badgeStyles = css`
  .badge {
    flex: none;
    display: inline-flex;
    align-items: center;
    gap: 4px;
    font-weight: 600;
    font-variant-numeric: tabular-nums;
  }
  .badge i {
    width: 20px;
    height: 8px;
    border: 1px solid currentColor;
    border-radius: 2px;
    background: linear-gradient(to right, var(--band) var(--filled), transparent var(--filled));
  }
  .badge.of-excellent {
    --band: var(--vscode-charts-green);
    --filled: 100%;
  }
  .badge.of-good {
    --band: var(--vscode-charts-blue);
    --filled: 80%;
  }
  .badge.of-fair {
    --band: var(--vscode-charts-yellow);
    --filled: 60%;
  }
  .badge.of-poor {
    --band: color-mix(in srgb, var(--vscode-charts-red), var(--vscode-charts-yellow));
    --filled: 40%;
  }
  .badge.of-bad {
    --band: var(--vscode-charts-red);
    --filled: 20%;
  }
  .badge.none {
    font-weight: normal;
    color: var(--vscode-descriptionForeground);
  }
`;
