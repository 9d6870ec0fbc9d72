import { html } from "lit";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import type { Host } from "../host.ts";

/** Why no pair is here, and the way out. */
export function pairEmpty(host: Host, project: ProjectSnapshot, filtered: boolean, showAll: () => void) {
  const text = host.text;
  if (filtered) {
    return html`<leaf-empty icon="filter" heading=${text("No pair is like this")} words=${text("Other pairs are there: the filter hides them.")}
      ><button class="act first" @click=${showAll}>${text("Show all pairs")}</button></leaf-empty
    >`;
  }
  const label = () => void host.request("host/command", { command: "leaf.label", config: project.config });
  return html`<leaf-empty
    icon="git-compare"
    heading=${text("No pairs are labelled yet")}
    words=${text("Here you will see which of two images the teacher prefers and how sure it is. One key overrules it.")}
    ><button class="act first" @click=${label}>${text("Label with Teacher")}</button></leaf-empty
  >`;
}
