import { html } from "lit";
import type { ScorerInfo } from "../../src/protocol/project.ts";
import type { Host } from "../host.ts";
import { bandOf, bandWord, scoreText } from "../pictures/quality.ts";

/** A score with its quality band; see `badgeStyles`. */
export function scoreBadge(host: Host, score: number | null, scorer: ScorerInfo | null) {
  if (score === null || !scorer) {
    return html`<span class="badge none" title=${host.text("Not scored yet")}>–</span>`;
  }
  const band = bandOf(score, scorer);
  return html`<span class="badge of-${band}" title="${bandWord(host, band)} (${scorer.title})"
    ><i></i>${scoreText(score, scorer.scale)}</span
  >`;
}
