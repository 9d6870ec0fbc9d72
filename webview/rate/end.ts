import { html, nothing } from "lit";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { count } from "../../src/words/figure.ts";
import { retestText } from "../../src/words/retest.ts";
import type { Host } from "../host.ts";
import { type Action, actionButton } from "../ui/actions.ts";
import "./hint.ts";
import type { RatingSession } from "./session.ts";

interface Ways {
  more(): void;
  unskip(): void;
  command(command: string): void;
}

/** When nothing is left to rate: what was gained, and what next. */
export function rateEnd(
  host: Host,
  project: ProjectSnapshot,
  session: RatingSession,
  undo: Action,
  ways: Ways,
) {
  const text = host.text;
  const { queue, done, skipped } = session;
  const distilled = project.stages.some(({ stage, headline }) => stage === "distill" && headline !== null);
  const heading =
    done === 0 && skipped === 0
      ? text("Nothing is left to rate")
      : done === 1
        ? text("1 image is rated")
        : text("{0} images are rated", count(done));
  const unrated = (project.images?.usable ?? 0) - (project.mos?.rated ?? 0);
  const { train = 0, test = 0 } = queue?.proposed ?? {};
  const words = [
    train + test > 0
      ? text("LEAF proposed {0} to calibrate with and {1} to evaluate with.", count(train), count(test))
      : "",
    queue ? text("{0} holds {1} human scores.", queue.file, count(queue.total)) : "",
    queue?.retest ? text("You and yourself: {0}.", retestText(text, queue.retest)) : "",
    distilled
      ? text("Calibrating moves the student's scores onto your scale.")
      : text("A student is distilled first, then calibrated with your scores."),
  ].join(" ");
  return html`<leaf-empty icon="pass" heading=${heading} words=${words}>
    ${
      distilled && queue && queue.total > 0
        ? html`<leaf-rating-hint .host=${host} config=${project.config} ratings=${queue.total} next=${Math.max(1, Math.min(30, unrated))}></leaf-rating-hint>`
        : nothing
    }
    <div class="next-steps">
      ${
        distilled
          ? html`<button class="act first" @click=${() => ways.command("leaf.calibrate")}>${text("Calibrate Student")}</button>`
          : html`<button class="act first" @click=${() => ways.command("leaf.run")}>${text("Run Pipeline")}</button>`
      }
      ${skipped > 0 ? html`<button class="act" @click=${ways.unskip}>${text("Rate the {0} skipped", count(skipped))}</button>` : nothing}
      ${unrated > 0 ? html`<button class="act" @click=${ways.more}>${text("Rate {0} more", count(Math.min(30, unrated)))}</button>` : nothing}
      ${session.last ? actionButton(host, undo, { class: "act", key: "before" }) : nothing}
    </div>
  </leaf-empty>`;
}
