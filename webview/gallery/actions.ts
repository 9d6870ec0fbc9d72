import { html, nothing } from "lit";
import type { ImageRow } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";
import { count } from "../ui/format.ts";

export interface GalleryActions {
  open(): void;
  rescore(): void;
  reveal(): void;
  rate(): void;
  /** Asks first. */
  exclude(): void;
  confirmExclude(): void;
  dismiss(): void;
}

const nameOf = (row: ImageRow) => row.path.slice(row.path.lastIndexOf("/") + 1);

/** What can be done with the selected images, or else with the focused one. */
export function galleryActions(
  host: Host,
  chosen: readonly ImageRow[],
  { selected, asks, configName }: { selected: boolean; asks: boolean; configName: string },
  actions: GalleryActions,
) {
  const text = host.text;
  const [first] = chosen;
  const what =
    chosen.length > 1 || selected
      ? chosen.length === 1
        ? text("1 image selected")
        : text("{0} images selected", count(chosen.length))
      : first
        ? nameOf(first)
        : "";
  if (asks && first) {
    const question =
      chosen.length === 1
        ? text("Exclude {0} from the images of {1}? The file stays where it is.", first.path, configName)
        : text(
            "Exclude {0} images from those of {1}? The files stay where they are.",
            count(chosen.length),
            configName,
          );
    return html`<div class="bar acts asks" role="alertdialog" aria-label=${question}>
      <span class="question">${question}</span>
      <button class="act first confirm" @click=${actions.confirmExclude}>${text("Exclude")}</button>
      <button class="act" title=${text("Escape")} @click=${actions.dismiss}>${text("Cancel")}</button>
    </div>`;
  }
  const act = (words: string, key: string, keyName: string, tooltip: string, does: () => void) =>
    html`<button ?disabled=${!first} title="${tooltip} (${keyName})" @click=${does}>${words}<kbd aria-hidden="true">${key}</kbd></button>`;
  return html`<div class="bar acts" role="toolbar" aria-label=${text("Actions")}>
    <span class="what" title=${first?.path ?? ""}>${what}</span>
    ${chosen.length === 1 ? act(text("Open"), "⏎", "Enter", text("Opens the file beside"), actions.open) : nothing}
    ${act(text("Rescore"), "s", "s", text("Scores anew"), actions.rescore)}
    ${chosen.length === 1 ? act(text("Reveal"), "o", "o", text("Shows the file in the Explorer"), actions.reveal) : nothing}
    ${act(text("Rate"), "r", "r", text("Rate by the keys 1 to 5"), actions.rate)}
    ${act(text("Exclude…"), "Del", "Delete", text("Leaves out of the dataset; asks first"), actions.exclude)}
    ${selected ? html`<button title=${text("Nothing selected (Escape)")} @click=${actions.dismiss}>${text("Clear")}<kbd aria-hidden="true">Esc</kbd></button>` : nothing}
  </div>`;
}
