import type { ImageRow } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";
import type { GalleryActions } from "./actions.ts";

interface Options {
  host: () => Host;
  config(): string;
  /** The selected images, or else the focused one. */
  chosen(): ImageRow[];
  goRate(rows: ImageRow[]): void;
  ask(asks: boolean): void;
  excluded(count: number): void;
  dismiss(): void;
  onError(error: unknown): void;
}

/** What the buttons and keys of the gallery do. */
export function galleryDeeds(options: Options): GalleryActions {
  const { host, config, chosen, onError } = options;
  const request: Host["request"] = (method, params) => {
    const answer = host().request(method, params);
    answer.catch(onError);
    return answer;
  };
  const first = (does: (row: ImageRow) => void) => () => {
    const [row] = chosen();
    if (row) does(row);
  };
  return {
    open: first(({ uri }) => request("host/openFile", { uri, beside: true })),
    reveal: first(({ uri }) => request("host/reveal", { uri })),
    rescore: first(() => {
      const argument = chosen().map(({ uri }) => uri);
      void request("host/command", { command: "leaf.score", config: config(), argument });
    }),
    rate: first(() => options.goRate(chosen())),
    exclude: first(() => options.ask(true)),
    confirmExclude() {
      const paths = chosen().map(({ path }) => path);
      options.ask(false);
      void request("leaf/exclude", { config: config(), paths }).then(
        () => options.excluded(paths.length),
        () => {},
      );
    },
    dismiss: options.dismiss,
  };
}
