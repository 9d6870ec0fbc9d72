import { closest } from "fastest-levenshtein";
import { type CodeAction, CodeActionKind, type Range } from "vscode-languageserver/node";
import { flowText } from "../../engine/config/yamlDocument.ts";
import { type Edit, removeKey, renameKey, setValue } from "../../engine/config/yamlEdit.ts";
import { t } from "../locale.ts";
import { type ConfigDocument, scalarAt } from "./configDocument.ts";
import type { FactProblem } from "./context.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import { type Problem, problemsOf } from "./problems.ts";
import { alternatives, defaultOf, isPlain, namedValues, type SchemaNode, schemasAt } from "./schema.ts";

/** Quick fixes of the problems that a range touches; the first of each problem is the preferred one. */
export function quickFixes(config: ConfigDocument, facts: FactProblem[], range: Range): CodeAction[] {
  return actionsOf(config, problemsOf(config, facts), range, fixesOf);
}

/** The fixes of the problems that a range touches, as the editor wants them. */
export function actionsOf(
  config: ConfigDocument,
  problems: Problem[],
  range: Range,
  fixesOf: (config: ConfigDocument, problem: Problem) => Fix[],
): CodeAction[] {
  const diagnostics = diagnosticsOf(config, problems);
  return problems.flatMap((problem, i) => {
    const diagnostic = diagnostics[i]!;
    if (!touches(diagnostic.range, range)) return [];
    return fixesOf(config, problem).map(
      (fix, place): CodeAction => ({
        title: fix.title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [diagnostic],
        isPreferred: place === 0,
        ...("command" in fix
          ? { command: { title: fix.title, command: fix.command, arguments: fix.arguments } }
          : {
              edit: {
                changes: {
                  [config.uri]: [{ range: config.range(...fix.edit.span), newText: fix.edit.text }],
                },
              },
            }),
      }),
    );
  });
}

export type Fix = { title: string; edit: Edit } | { title: string; command: string; arguments?: unknown[] };

function fixesOf(config: ConfigDocument, { path, code, suggestion, fix }: Problem): Fix[] {
  if (fix?.kind === "command") return [fix];
  if (fix) return withEdit(fix.title, setValue(config, fix.path, fix.value));
  const key = String(path.at(-1) ?? "");
  if (code === "unknownKey") {
    return [
      ...(suggestion ? withEdit(t("Rename to `{0}`", suggestion), renameKey(config, path, suggestion)) : []),
      ...withEdit(t("Remove `{0}`", key), removeKey(config, path)),
    ];
  }
  if (code === "missing") {
    const name = key || "images";
    const value = starting[name] ?? defaultOf(schemasAt(path)) ?? name;
    return withEdit(t("Add `{0}`", name), setValue(config, path.length > 0 ? path : ["images"], value));
  }
  if (code !== "value") return [];
  return replacements(
    scalarAt(config.yaml, path),
    schemasAt(path, (at) => scalarAt(config.yaml, at)),
  )
    .slice(0, 5)
    .flatMap((value) => withEdit(t("Use {0}", flowText(value)), setValue(config, path, value)));
}

/** What to write for a required key that has no default. */
const starting: Record<string, string> = { images: "photos", file: "mos.csv" };

/** Values that the schema takes, likeliest first, in place of one that it does not. */
function replacements(given: unknown, nodes: SchemaNode[]): unknown[] {
  const options = nodes.flatMap(alternatives);
  const found: unknown[] = [];
  const number = typeof given === "string" && given.trim() !== "" ? Number(given.replace(",", ".")) : given;
  if (typeof number === "number" && Number.isFinite(number)) {
    for (const node of options) {
      const value = nearestNumber(number, node);
      if (value !== undefined) found.push(value);
    }
  }
  const named = namedValues(nodes);
  if (typeof given === "number" && found.length === 0)
    found.push(...named.filter((one) => typeof one === "number"));
  if (typeof given === "string") {
    if (named.includes(true) && /^(yes|on|true)$/i.test(given)) found.push(true);
    else if (named.includes(false) && /^(no|off|false)$/i.test(given)) found.push(false);
    const texts = named.filter((value) => typeof value === "string");
    if (texts.length > 0) {
      const best = closest(given.toLowerCase(), texts);
      found.push(best, ...texts.filter((text) => text !== best));
    }
  } else if (given !== undefined) {
    found.push(...named.filter((value) => typeof value === "string"));
  }
  const fallback = defaultOf(nodes);
  if (found.length === 0 && isPlain(fallback)) found.push(fallback);
  return [...new Set(found)].filter((value) => value !== given);
}

function nearestNumber(number: number, node: SchemaNode): number | undefined {
  if (node.type !== "number" && node.type !== "integer") return undefined;
  if (node.const !== undefined) return undefined;
  const { minimum, maximum, exclusiveMinimum } = node;
  // There is no nearest one above an excluded bound.
  if (exclusiveMinimum !== undefined && number <= exclusiveMinimum) return undefined;
  const whole = node.type === "integer" ? Math.round(number) : number;
  return Math.min(maximum ?? Number.POSITIVE_INFINITY, Math.max(minimum ?? Number.NEGATIVE_INFINITY, whole));
}

export function withEdit(title: string, edit: Edit | undefined): Fix[] {
  return edit ? [{ title, edit }] : [];
}

function touches(a: Range, b: Range): boolean {
  const before = (x: Range["start"], y: Range["start"]) =>
    x.line < y.line || (x.line === y.line && x.character < y.character);
  return !before(a.end, b.start) && !before(b.end, a.start);
}
