import { html, nothing } from "lit";
import type { ImageQuery, ImageRow, ImageSort, TargetView } from "../../src/protocol/images.ts";
import type { ScorerInfo } from "../../src/protocol/project.ts";
import { type BandName, bandRange, bands, bandWord, fiveScale, scoreFigure } from "../../src/words/score.ts";
import type { Host } from "../host.ts";
import { type Action, tooltipOf } from "../ui/actions.ts";
import { choice, range } from "../ui/controls.ts";

/** Filter and order as kept; the band is turned into scores by the scorer of the day. */
export interface GalleryFilter {
  sort: ImageSort;
  descending: boolean;
  text: string;
  quality: "any" | BandName | "range" | "far";
  range: [number, number] | null;
  mos: "any" | "rated" | "unrated";
  split: "any" | "train" | "val" | "test";
  /** Whose scores are shown and sorted by; the main one's otherwise. */
  target?: string;
}

/** Worst first: what most come to see. */
export const allImages: GalleryFilter = {
  sort: "score",
  descending: false,
  text: "",
  quality: "any",
  range: null,
  mos: "any",
  split: "any",
};

/** The scorer on the scale of the filter's target. */
export function scorerOf(scorer: ScorerInfo | null, { target }: GalleryFilter): ScorerInfo | null {
  const own = scorer?.targets?.find(({ name }) => name === target);
  return scorer && own ? { ...scorer, scale: own.scale, lowerIsBetter: own.lowerIsBetter } : scorer;
}

/** What is known of an image's target, where that is not the main one. */
export function targetOf(row: ImageRow, { target }: GalleryFilter): TargetView | undefined {
  return row.targets?.find(({ name }) => name === target);
}

/** Ascending is worst first, whether or not lower is better on the scale. */
function orderWords({ text }: Host, { sort }: GalleryFilter): [string, string] {
  if (sort === "path") return [text("A to Z"), text("Z to A")];
  if (sort === "modified") return [text("Oldest first"), text("Newest first")];
  if (sort === "similar") return [text("Largest groups first"), text("Smallest groups first")];
  if (sort === "disagreement") return [text("Smallest first"), text("Largest first")];
  return [text("Worst first"), text("Best first")];
}

export function isFiltered({ sort, text, quality, mos, split }: GalleryFilter): boolean {
  return sort === "similar" || text !== "" || quality !== "any" || mos !== "any" || split !== "any";
}

export function queryOf(
  filter: GalleryFilter,
  main: ScorerInfo | null,
): Omit<ImageQuery, "offset" | "limit"> {
  const scorer = scorerOf(main, filter);
  const { sort, descending, text, quality, range, mos, split } = filter;
  const score =
    quality === "any" || quality === "far" || !scorer
      ? undefined
      : quality === "range"
        ? (range ?? scorer.scale)
        : bandRange(quality, scorer);
  return {
    sort,
    descending,
    ...(filter.target === undefined ? {} : { target: filter.target }),
    ...(text ? { text } : {}),
    ...(score ? { score: [...score] as [number, number] } : {}),
    ...(quality === "far" && scorer?.kind === "student" ? { far: true } : {}),
    ...(mos === "any" ? {} : { mos }),
    ...(split === "any" ? {} : { split }),
  };
}

/** What the images are sorted by, where their score does not say it already. */
export function sortedBy(host: Host, filter: GalleryFilter, mosRange: [number, number] | undefined) {
  const { sort } = filter;
  return (row: ImageRow): string | null => {
    if (sort === "mos") {
      const { mos, scale } = targetOf(row, filter) ?? { mos: row.mos, scale: mosRange };
      return mos === null || !scale ? null : `MOS ${scoreFigure(mos, scale)}`;
    }
    if (sort === "similar")
      return row.twins ? host.text("group {0} · {1} images", row.twins.number, row.twins.images) : null;
    if (sort === "teacher")
      return row.teacher && host.text("teacher {0}", scoreFigure(row.teacher.score, fiveScale));
    if (sort === "disagreement")
      return row.disagreement === null ? null : `Δ ${scoreFigure(row.disagreement, fiveScale)}`;
    return null;
  };
}

export function galleryFilters(
  host: Host,
  filter: GalleryFilter,
  main: ScorerInfo | null,
  search: Action,
  changed: (filter: GalleryFilter) => void,
) {
  const text = host.text;
  const scorer = scorerOf(main, filter);
  const targets = main?.targets?.map(({ name }) => [name, name] as const);
  const change = (part: Partial<GalleryFilter>) => changed({ ...filter, ...part });
  const sorts: [ImageSort, string][] = [
    ["score", text("By score")],
    ["mos", text("By MOS")],
    ["teacher", text("By teacher's score")],
    ["disagreement", text("By disagreement")],
    ["path", text("By path")],
    ["modified", text("By time changed")],
    ["similar", text("Near duplicates, by groups")],
  ];
  const qualities: [GalleryFilter["quality"], string][] = [
    ["any", text("Any quality")],
    ...bands.map((band): [BandName, string] => [band, bandWord(host.text, band)]),
    ["range", text("Scores from, to")],
    ...(scorer?.kind === "student"
      ? [["far", text("Unlike those distilled on")] as [GalleryFilter["quality"], string]]
      : []),
  ];
  const order = orderWords(host, filter)[filter.descending ? 1 : 0];
  const [low, high] = scorer?.scale ?? [1, 5];
  const step = high - low > 20 ? 1 : 0.1;
  return html`
    <input
      type="search"
      placeholder=${search.title}
      aria-label=${search.title}
      title=${tooltipOf(host, search)}
      .value=${filter.text}
      @input=${(event: Event) => change({ text: (event.target as HTMLInputElement).value.trim() })}
    />
    ${
      targets
        ? choice(text("Target"), filter.target ?? targets[0]![0], targets, (name) =>
            change({ target: name === targets[0]![0] ? undefined : name, range: null }),
          )
        : nothing
    }
    ${choice(text("Order"), filter.sort, sorts, (sort) =>
      change({ sort, descending: sort === "disagreement" || sort === "modified" }),
    )}
    <button class="icon" title=${order} aria-label=${order} @click=${() => change({ descending: !filter.descending })}>
      <leaf-icon name=${filter.descending ? "arrow-down" : "arrow-up"}></leaf-icon>
    </button>
    ${scorer ? choice(text("Quality"), filter.quality, qualities, (quality) => change({ quality })) : nothing}
    ${
      scorer && filter.quality === "range"
        ? range(text("Score"), filter.range ?? [low, high], { min: low, max: high, step }, (next) =>
            change({ range: next }),
          )
        : nothing
    }
    ${choice(
      text("Human scores"),
      filter.mos,
      [
        ["any", text("Rated or not")],
        ["rated", text("Rated")],
        ["unrated", text("Unrated")],
      ],
      (mos) => change({ mos }),
    )}
    ${choice(
      text("Split"),
      filter.split,
      [
        ["any", text("All splits")],
        ["train", "train"],
        ["val", "val"],
        ["test", "test"],
      ],
      (split) => change({ split }),
    )}
  `;
}
