import { html } from "lit";
import type { ImageRow } from "../../src/protocol/images.ts";
import { count } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import { actionButton } from "../ui/actions.ts";
import type { GalleryActions } from "./actions.ts";

const nameOf = (row: ImageRow) => row.path.slice(row.path.lastIndexOf("/") + 1);

/** What is chosen and what can be done with it; or, where it asks, the question whether to exclude it. */
export function actionBar(
  host: Host,
  chosen: readonly ImageRow[],
  { selected, asks, configName }: { selected: boolean; asks: boolean; configName: string },
  actions: GalleryActions,
) {
  const text = host.text;
  const [first] = chosen;
  const one = chosen.length === 1;
  if (asks && first) {
    const question = one
      ? text("Exclude {0} from the images of {1}? The file stays where it is.", first.path, configName)
      : text(
          "Exclude {0} images from those of {1}? The files stay where they are.",
          count(chosen.length),
          configName,
        );
    return html`<div class="bar acts asks" role="alertdialog" aria-label=${question}>
      <span class="question">${question}</span>
      ${actionButton(host, actions.confirmExclude, { class: "act first confirm" })}
      ${actionButton(host, actions.dismiss, { class: "act" })}
    </div>`;
  }
  const { open, rescore, reveal, rate, exclude, dismiss } = actions;
  const images = one ? text("1 image selected") : text("{0} images selected", count(chosen.length));
  return html`<div class="bar acts" role="toolbar" aria-label=${text("Actions")}>
    <span class="what" title=${first?.path ?? ""}>${selected ? images : first ? nameOf(first) : ""}</span>
    ${[open, rescore, reveal, rate, exclude, dismiss].map((action) => actionButton(host, action, { key: "after" }))}
  </div>`;
}
