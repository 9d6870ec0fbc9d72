import {
  type Disposable,
  EventEmitter,
  FileDecoration,
  l10n,
  ThemeColor,
  Uri,
  window,
  workspace,
} from "vscode";
import { bandOf } from "../../words/score.ts";
import type { Leaf } from "../leaf.ts";
import { isOn } from "../settings.ts";
import { isImagePath } from "./imageFiles.ts";
import { decorationTooltip } from "./imageWords.ts";
import { scoreCache } from "./scoreCache.ts";

/** Low quality; the tooltip says how low. */
const badge = "↓";

/** Scores in the Explorer: a tooltip for every scored image, a badge and a colour for the worst alone. */
export function decorations({ client, state }: Leaf): Disposable[] {
  const changed = new EventEmitter<Uri[] | undefined>();
  const cache = scoreCache((uris) => client.request("leaf/scores", { uris }));
  let scorers = "";

  function forgetAll(): void {
    cache.forget("all");
    changed.fire(undefined);
  }

  return [
    changed,
    window.registerFileDecorationProvider({
      onDidChangeFileDecorations: changed.event,
      async provideFileDecoration(uri, token) {
        if (uri.scheme !== "file" || !isImagePath(uri.path)) return undefined;
        const project = state.projectOfFile(uri.toString());
        if (!project || !client.isRunning() || !isOn("decorations.enabled")) return undefined;
        const known = await cache.get(uri.toString());
        if (!known || token.isCancellationRequested) return undefined;
        const tooltip = decorationTooltip(known, l10n.t);
        const band = bandOf(known.score, {
          scale: known.scale,
          lowerIsBetter: project.scorer?.lowerIsBetter ?? false,
        });
        return band === "bad"
          ? new FileDecoration(badge, tooltip, new ThemeColor("leaf.worstImageForeground"))
          : new FileDecoration(undefined, tooltip);
      },
    }),
    client.on("leaf/scoresChanged", ({ uris, all }) => {
      if (all) forgetAll();
      else {
        cache.forget(uris);
        changed.fire(uris.map((uri) => Uri.parse(uri, true)));
      }
    }),
    state.onChanged((projects) => {
      const now = projects.map(({ config, scorer }) => `${config} ${scorer?.fingerprint}`).join("\n");
      if (now !== scorers) forgetAll();
      scorers = now;
    }),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("leaf.decorations")) changed.fire(undefined);
    }),
  ];
}
