import type { ImageRow } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";
import type { Action } from "../ui/actions.ts";

export interface GalleryState {
  host: Host;
  config: string;
  /** The selected images, or else the focused one. */
  chosen: readonly ImageRow[];
  /** Some are selected. */
  selected: boolean;
  /** Whether to exclude them is being asked. */
  asks: boolean;
  heatShown: boolean;
  does: {
    rate(rows: readonly ImageRow[]): void;
    ask(asks: boolean): void;
    excluded(count: number): void;
    dismiss(): void;
    selectAll(): void;
    resize(by: -1 | 1): void;
    toggleHeat(): void;
    search(): void;
    refused(error: unknown): void;
  };
}

export type GalleryActions = ReturnType<typeof galleryActions>;

/** What can be done in the gallery, most of it with the chosen images. */
export function galleryActions({ host, config, chosen, selected, asks, heatShown, does }: GalleryState) {
  const { text } = host;
  const request: Host["request"] = (method, params) => {
    const answer = host.request(method, params);
    answer.catch(does.refused);
    return answer;
  };
  const [first] = chosen;
  const disabled = !first;
  const several = chosen.length !== 1;
  const asking = asks && !disabled;
  return {
    open: {
      title: text("Open"),
      tooltip: text("Opens the file beside"),
      keys: ["Enter"],
      heardInside: true,
      hidden: several,
      run: () => first && request("host/openFile", { uri: first.uri, beside: true }),
    },
    rescore: {
      title: text("Rescore"),
      tooltip: text("Scores again"),
      keys: ["s"],
      disabled,
      run() {
        const argument = chosen.map(({ uri }) => uri);
        if (first) void request("host/command", { command: "leaf.score", config, argument });
      },
    },
    reveal: {
      title: text("Reveal"),
      tooltip: text("Shows the file in the Explorer"),
      keys: ["o"],
      hidden: several,
      run: () => first && request("host/reveal", { uri: first.uri }),
    },
    rate: {
      title: text("Rate"),
      tooltip: text("Rate by the keys 1 to 5"),
      keys: ["r"],
      disabled,
      run: () => first && does.rate(chosen),
    },
    exclude: {
      title: text("Exclude…"),
      tooltip: text("Leaves out of the dataset; asks first"),
      keys: ["Delete"],
      disabled,
      run: () => first && does.ask(true),
    },
    confirmExclude: {
      title: text("Exclude"),
      run() {
        const paths = chosen.map(({ path }) => path);
        does.ask(false);
        void request("leaf/exclude", { config, paths }).then(
          () => does.excluded(paths.length),
          () => {},
        );
      },
    },
    dismiss: {
      title: asking ? text("Cancel") : text("Clear"),
      tooltip: asking ? "{key}" : text("Nothing selected"),
      keys: ["Escape"],
      hidden: !asking && !selected,
      run: does.dismiss,
    },
    selectAll: { keys: ["Ctrl+a"], run: does.selectAll },
    smaller: { title: text("Smaller pictures"), icon: "zoom-out", keys: ["-"], run: () => does.resize(-1) },
    larger: { title: text("Larger pictures"), icon: "zoom-in", keys: ["+"], run: () => does.resize(1) },
    heat: {
      title: text("Where does it look"),
      tooltip: text(
        "Where the student sees high and low quality: local scores, whose mean is its score. Each sees more of the image than its spot.",
      ),
      icon: "eye",
      keys: ["h"],
      pressed: heatShown,
      run: does.toggleHeat,
    },
    /** Its title is that of the field which it goes to. */
    search: { title: text("Part of a path"), keys: ["/"], run: does.search },
  } satisfies Record<string, Action>;
}
