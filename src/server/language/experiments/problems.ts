import { type Edit, removeKey, renameKey, setValue } from "../../../engine/config/yamlEdit.ts";
import { parseExperiment } from "../../../engine/experiments/file.ts";
import { t } from "../../locale.ts";
import type { ConfigDocument } from "../configDocument.ts";
import { type Fix, withEdit } from "../fixes.ts";
import { type Problem, syntaxProblems, valueProblems } from "../problems.ts";

/** All problems of an experiment; those of overrides only where the base config is right (`base` is its value). */
export function experimentProblems(config: ConfigDocument, base: unknown): Problem[] {
  const syntax = syntaxProblems(config);
  if (syntax.length > 0) return syntax;
  return valueProblems(config, (text) => parseExperiment(text, base)).sort((a, b) => a.span[0] - b.span[0]);
}

/** A key is renamed or taken out; a baseline becomes one that there is. */
export function experimentFixes(config: ConfigDocument, { path, code, suggestion }: Problem): Fix[] {
  const key = String(path.at(-1) ?? "");
  const edit = (title: string, made: Edit | undefined) => withEdit(title, made);
  if (code === "unknownKey") {
    return [
      ...(suggestion ? edit(t("Rename to `{0}`", suggestion), renameKey(config, path, suggestion)) : []),
      ...edit(t("Remove `{0}`", key), removeKey(config, path)),
    ];
  }
  return suggestion ? edit(t("Use {0}", suggestion), setValue(config, path, suggestion)) : [];
}
