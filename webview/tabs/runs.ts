import { html } from "lit";
import { Tab } from "./tab.ts";

customElements.define(
  "leaf-runs",
  class extends Tab {
    protected override render() {
      return html`<p>runs</p>`;
    }
  },
);
