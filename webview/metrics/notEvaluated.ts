import { html, LitElement } from "lit";
import type { Host } from "../host.ts";
import "../ui/button.ts";
import "../ui/empty.ts";
import { baseStyles } from "../ui/styles.ts";

/** What will be here. Fires `run`, or `rate` where there are no human scores yet. */
class NotEvaluated extends LitElement {
  static override properties = { host: { attribute: false }, rated: { type: Boolean } };
  static override styles = baseStyles;
  declare host: Host;
  declare rated: boolean;

  protected override render() {
    const text = this.host.text;
    const words = this.rated
      ? text(
          "This tab compares the student's scores with human scores that it has not seen: correlations with intervals, a scatter plot, and the worst errors as images.",
        )
      : text(
          "Metrics need human scores (MOS). Rate some images, or name a CSV file under mos: in leaf.yaml; the test split is evaluated against them.",
        );
    const act = this.rated ? "run" : "rate";
    return html`<leaf-empty icon="graph-scatter" heading=${text("Nothing has been evaluated yet")} words=${words}>
      <vscode-button @click=${() => this.dispatchEvent(new CustomEvent(act))}>
        ${this.rated ? text("Run Pipeline") : text("Rate images")}
      </vscode-button>
    </leaf-empty>`;
  }
}

customElements.define("leaf-not-evaluated", NotEvaluated);
