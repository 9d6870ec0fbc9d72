import { html } from "lit";
import { Tab } from "./tab.ts";

customElements.define(
  "leaf-metrics",
  class extends Tab {
    protected override render() {
      return html`<p>metrics</p>`;
    }
  },
);
