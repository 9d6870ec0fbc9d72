import { html } from "lit";
import { Tab } from "./tab.ts";

customElements.define(
  "leaf-rate",
  class extends Tab {
    protected override render() {
      return html`<p>rate</p>`;
    }
  },
);
