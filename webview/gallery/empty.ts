import { html } from "lit";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import type { Host } from "../host.ts";
import { type GalleryFilter, isFiltered } from "./filters.ts";

/** Why no image is here, and the way out. */
export function galleryEmpty(
  host: Host,
  project: ProjectSnapshot,
  filter: GalleryFilter,
  showAll: () => void,
) {
  const text = host.text;
  if (isFiltered(filter)) {
    const [heading, words] =
      filter.sort === "similar"
        ? [
            text("No near duplicates are known"),
            text("leaf check looks for them, and so does a config with split.similar."),
          ]
        : [text("No image is like this"), text("Other images are there: the filter hides them.")];
    return html`<leaf-empty icon="filter" heading=${heading} words=${words}
      ><button class="act first" @click=${showAll}>${text("Show all images")}</button></leaf-empty
    >`;
  }
  const open = () => void host.request("host/openFile", { uri: project.config });
  return html`<leaf-empty
    icon="file-media"
    heading=${text("No images yet")}
    words=${text("Here will be the images of {0} with their scores, worst first. Put images there, or name another folder under images:.", project.imagesName)}
    ><button class="act first" @click=${open}>${text("Open {0}", project.name)}</button></leaf-empty
  >`;
}
