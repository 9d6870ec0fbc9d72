import { css, html, nothing } from "lit";
import type { ImageRow } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";
import "../ui/icon.ts";

/** A warning at an image that is unlike those the student knows; `words` says so in full, else the tooltip does. */
export function outOfDistributionMark({ text }: Host, { far }: ImageRow, words: "full" | "short" | "icon") {
  if (!far) return nothing;
  const full = text("unlike the images it was distilled on");
  const caution = text(
    "The student may be wrong about it. LEAF marks many unlike images, not all, and also some that the student scores well.",
  );
  const shown = { full, short: text("unlike"), icon: "" }[words];
  return html`<span class="far" title=${words === "full" ? caution : `${full}. ${caution}`}
    ><leaf-icon class="warning" name="warning"></leaf-icon>${shown}${words === "full" ? nothing : html`<span class="only-read">${full}</span>`}</span
  >`;
}

export const outOfDistributionStyles = css`
  .far {
    position: relative;
    display: inline-flex;
    align-items: center;
    gap: 3px;
  }
`;
