import type { YAMLParseError } from "yaml";
import { type ConfigProblem, parseConfig } from "../../engine/config/read.ts";
import { keySpan, pairAt, type Span } from "../../engine/config/yamlDocument.ts";
import { t, worded } from "../locale.ts";
import { type ConfigDocument, problemSpan } from "./configDocument.ts";
import type { ConfigPath, FactProblem } from "./context.ts";

/** One fault, in the text or in the data that it names. */
export interface Problem {
  path: ConfigPath;
  message: string;
  severity: FactProblem["severity"];
  code: string;
  span: Span;
  /** The key that was meant. */
  suggestion?: string;
  fix?: FactProblem["fix"];
}

/** All problems of a config from top to bottom. Those of the data are told only where the text is right. */
export function problemsOf(config: ConfigDocument, facts: FactProblem[]): Problem[] {
  const syntax = syntaxProblems(config);
  if (syntax.length > 0) return syntax;
  const wrong = valueProblems(config);
  const data = facts
    .filter((fact) => !wrong.some(({ path }) => startsWith(path, fact.path) || startsWith(fact.path, path)))
    .map((fact) => ({ ...fact, span: problemSpan(config.yaml, fact.path) ?? firstLine(config.text) }));
  return [...wrong, ...data].sort((a, b) => a.span[0] - b.span[0]);
}

function startsWith(path: ConfigPath, start: ConfigPath): boolean {
  return start.length > 0 && start.every((part, i) => path[i] === part);
}

/** What the schema says of the text; `parse` reads it. */
export function valueProblems(
  config: ConfigDocument,
  parse: (text: string) => { ok: true } | { ok: false; problems: ConfigProblem[] } = parseConfig,
): Problem[] {
  let problems: ConfigProblem[];
  try {
    const parsed = parse(config.text);
    problems = parsed.ok ? [] : parsed.problems;
  } catch {
    return [problem(firstLine(config.text), t("the brackets are nested too deeply"), "syntax")];
  }
  return problems.map(({ path, words, kind, suggestion }) => {
    const span =
      (kind === "unknownKey" ? keySpan(pairAt(config.yaml, path)) : problemSpan(config.yaml, path)) ??
      firstLine(config.text);
    return {
      path,
      message: worded(words),
      severity: "error",
      code: kind,
      span,
      suggestion,
    };
  });
}

/** The first syntax error only, since it causes most of the later ones; but every key that is written twice. */
export function syntaxProblems({ yaml, text }: ConfigDocument): Problem[] {
  const twice = yaml.errors.filter(({ code }) => code === "DUPLICATE_KEY");
  const first = yaml.errors.find(({ code }) => code !== "DUPLICATE_KEY");
  return [...twice, ...(first ? [first] : [])].map((error) => {
    const start = Math.min(error.pos[0], text.length);
    const word = /^[^\s:,[\]{}#"']+/.exec(text.slice(start))?.[0].length ?? 0;
    const endOfLine = text.indexOf("\n", start) < 0 ? text.length : text.indexOf("\n", start);
    const end = Math.min(Math.max(error.pos[1], start + word, start + 1), Math.max(endOfLine, start));
    return problem([start, end], syntaxMessage(error, text.slice(start, start + word)), "syntax");
  });
}

function syntaxMessage(error: YAMLParseError, word: string): string {
  switch (error.code) {
    case "DUPLICATE_KEY":
      return t("`{0}` is written twice in this section", word);
    case "TAB_AS_INDENT":
      return t("indent with spaces, not with a tab");
    case "MULTIPLE_DOCS":
      return t("a config is one document: remove the line `---`");
    case "BAD_ALIAS":
      return t("there is no anchor of this name");
    case "MULTILINE_IMPLICIT_KEY":
      return t("a colon is missing after the key, or the lines are indented differently");
    default:
      return error.message
        .split("\n")[0]!
        .replace(/[.:]\s*$/, "")
        .replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
  }
}

function problem(span: Span, message: string, code: string): Problem {
  return { path: [], message, severity: "error", code, span };
}

function firstLine(text: string): Span {
  const end = text.search(/\r?\n|$/);
  return [0, end];
}
