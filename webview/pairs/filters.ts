import { html, nothing } from "lit";
import type { PairQuery } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";
import { choice, range } from "../ui/controls.ts";

export type PairFilter = Pick<PairQuery, "show" | "confidence" | "sort" | "descending" | "image">;

export const allPairs: PairFilter = { show: "all", sort: "sampled", descending: false };

/** Which pairs are shown, and in which order. */
export function pairFilters(
  host: Host,
  filter: PairFilter,
  imageName: string | undefined,
  changed: (filter: PairFilter) => void,
) {
  const text = host.text;
  const shows: [PairFilter["show"], string][] = [
    ["all", text("All pairs")],
    ["kept", text("Kept")],
    ["discarded", text("Discarded")],
    ["disagreement", text("Student disagrees")],
    ["human", text("Overruled")],
  ];
  const sorts: [PairFilter["sort"], string][] = [
    ["sampled", text("As sampled")],
    ["confidence", text("By confidence")],
    ["bias", text("By position bias")],
    ["disagreement", text("By student's disagreement")],
  ];
  const change = (part: Partial<PairFilter>) => changed({ ...filter, ...part });
  const order = filter.descending ? text("Highest first") : text("Lowest first");
  return html`
    ${choice(text("Which pairs"), filter.show, shows, (show) => change({ show }))}
    ${choice(text("Order"), filter.sort, sorts, (sort) => change({ sort, descending: sort !== "confidence" && sort !== "sampled" }))}
    ${
      filter.sort === "sampled"
        ? nothing
        : html`<button class="icon" title=${order} aria-label=${order} @click=${() => change({ descending: !filter.descending })}>
          <leaf-icon name=${filter.descending ? "arrow-down" : "arrow-up"}></leaf-icon>
        </button>`
    }
    ${range(text("Confidence"), filter.confidence ?? [0, 1], { min: 0, max: 1, step: 0.05 }, ([low, high]) =>
      change({ confidence: low === 0 && high === 1 ? undefined : [low, high] }),
    )}
    ${
      filter.image
        ? html`<button aria-pressed="true" title=${text("Show the pairs of all images")} @click=${() => change({ image: undefined })}>
          ${imageName ? text("Pairs of {0}", imageName) : text("Pairs of one image")}<leaf-icon name="close"></leaf-icon>
        </button>`
        : nothing
    }
  `;
}
