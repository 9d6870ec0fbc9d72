import { html, LitElement, nothing } from "lit";
import type { Failure } from "../src/protocol/jobs.ts";
import type { PanelTab } from "../src/protocol/panel.ts";
import type { ProjectSnapshot } from "../src/protocol/project.ts";
import type { Host } from "./host.ts";
import "./ui/refusal.ts";

/** Where to go in a tab: an image, or runs to be compared. */
export interface Focus {
  hash?: string;
  runs?: string[];
}

/** What every tab is given, and how it answers. */
export class Tab extends LitElement {
  static override properties = {
    host: { attribute: false },
    project: { attribute: false },
    kept: { attribute: false },
    focusOn: { attribute: false },
    feed: { attribute: false },
  };

  declare host: Host;
  declare project: ProjectSnapshot;
  /** What this tab kept when it was left: small, plain JSON. */
  declare kept: unknown;
  /** Where it was asked to go; a new object for each time. */
  declare focusOn: Focus | undefined;
  declare feed: EventTarget;

  /** Keeps this over hide, reload and move to another window. */
  protected keep(state: unknown): void {
    this.kept = state;
    this.dispatchEvent(new CustomEvent("keep", { detail: state }));
  }

  /** What went wrong, if anything did, above what the tab shows or in its place. */
  protected refusal(failure: Failure | null, retry: () => void) {
    if (!failure) return nothing;
    const { host, project } = this;
    return html`<leaf-refusal .host=${host} .failure=${failure} .folder=${project.folder} retriable @retry=${retry}></leaf-refusal>`;
  }

  protected go(tab: PanelTab, focus?: Focus): void {
    this.dispatchEvent(new CustomEvent("go", { detail: { tab, focus } }));
  }
}
