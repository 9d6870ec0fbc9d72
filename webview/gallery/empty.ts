import { html } from "lit";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import type { Host } from "../host.ts";

/** Why no image is here, and the way out. */
export function galleryEmpty(host: Host, project: ProjectSnapshot, filtered: boolean, showAll: () => void) {
  const text = host.text;
  if (filtered) {
    return html`<leaf-empty icon="filter" heading=${text("No image is like this")} words=${text("Other images are there: the filter hides them.")}
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
