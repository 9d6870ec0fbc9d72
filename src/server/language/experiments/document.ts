import { readFile } from "node:fs/promises";
import path from "node:path";
import type {
  CodeAction,
  CodeLens,
  CompletionItem,
  Diagnostic,
  Hover,
  Range,
} from "vscode-languageserver/node";
import { URI } from "vscode-uri";
import { keySpan } from "../../../engine/config/yamlDocument.ts";
import { baseValue } from "../../../engine/experiments/file.ts";
import { statusOfExperiment } from "../../../engine/experiments/list.ts";
import { type ConfigDocument, folderOf, scalarAt } from "../configDocument.ts";
import type { LanguageContext } from "../context.ts";
import { describeKey } from "../describe.ts";
import { diagnosticsOf } from "../diagnostics.ts";
import { actionsOf } from "../fixes.ts";
import { pairUnder } from "../hover.ts";
import { experimentCompletions } from "./completion.ts";
import { experimentLenses } from "./lenses.ts";
import { placeOf, schemasOf } from "./places.ts";
import { experimentFixes, experimentProblems } from "./problems.ts";

/** An experiment as a language; `openText` gives what the editor shows of a file, saved or not. */
export function experimentLanguage(context: LanguageContext, openText: (uri: string) => string | undefined) {
  const baseUri = (config: ConfigDocument) => {
    const folder = folderOf(config.uri);
    const base = scalarAt(config.yaml, ["base"]) ?? "leaf.yaml";
    return folder && typeof base === "string"
      ? URI.file(path.join(folder, path.basename(base))).toString()
      : undefined;
  };
  /** Undefined while there is none, or it is wrong itself: then overrides are not judged. */
  const baseOf = async (config: ConfigDocument): Promise<unknown> => {
    const uri = baseUri(config);
    if (!uri) return undefined;
    const text = openText(uri) ?? (await readFile(URI.parse(uri).fsPath, "utf8").catch(() => undefined));
    return text === undefined ? undefined : baseValue(text);
  };

  return {
    completions: (config: ConfigDocument, offset: number): Promise<CompletionItem[]> =>
      experimentCompletions(config, offset),

    hover(config: ConfigDocument, offset: number): Hover | null {
      const found = pairUnder(config, offset);
      const span = found && keySpan(found.pair);
      if (!found || !span) return null;
      const place = placeOf(found.path);
      const value = describeKey(place.path, schemasOf(place));
      return value ? { contents: { kind: "markdown", value }, range: config.range(...span) } : null;
    },

    async actions(config: ConfigDocument, range: Range): Promise<CodeAction[]> {
      return actionsOf(config, experimentProblems(config, await baseOf(config)), range, experimentFixes);
    },

    async diagnose(config: ConfigDocument): Promise<Diagnostic[]> {
      return diagnosticsOf(config, experimentProblems(config, await baseOf(config)));
    },

    async lenses(config: ConfigDocument): Promise<CodeLens[]> {
      const uri = baseUri(config);
      if (!uri || !folderOf(config.uri)) return [];
      const status = await statusOfExperiment(URI.parse(config.uri).fsPath);
      return experimentLenses(config, status, context.snapshotOf(uri)?.job ?? null);
    },
  };
}
