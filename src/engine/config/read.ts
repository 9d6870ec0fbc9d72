import { readFile } from "node:fs/promises";
import path from "node:path";
import { closest, distance } from "fastest-levenshtein";
import { LineCounter, parseDocument, type YAMLParseError } from "yaml";
import type { z } from "zod";
import type { Text } from "../../protocol/text.ts";
import { asTemplate, inEnglish, marked, say } from "../../words/text.ts";
import { explainFileSystemError, LeafError, messageOf } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import { withFormats } from "../mos/complete.ts";
import { type DetectedFormats, detectFormats } from "../mos/detect.ts";
import { type Config, configJsonSchema, configSchema } from "./config.ts";

/** A problem in a config, 1-based as editors show it. */
export interface ConfigProblem {
  /** In English. */
  message: string;
  kind: "syntax" | "unknownKey" | "missing" | "value";
  words: Text;
  line: number;
  column: number;
  /** Where in the document, such as `["calibrate", "ratio"]`. */
  path: (string | number)[];
  suggestion?: string;
}

export type ParsedConfig = { ok: true; config: Config } | { ok: false; problems: ConfigProblem[] };

/**
 * Parses the text of a `leaf.yaml`. Never throws: every problem comes back with its place. Without the formats of the files it
 * names, what the config leaves out of `mos:` is as in a plain CSV file: `readConfig` looks at them first.
 */
export function parseConfig(text: string, formats: DetectedFormats = {}): ParsedConfig {
  const yaml = parseYaml(text);
  if (!yaml.ok) return yaml;
  const result = configSchema.safeParse(withFormats(yaml.value, formats), { reportInput: true });
  if (result.success) return { ok: true, config: result.data };
  const problems = explainIssues(result.error.issues, yaml.value, configJsonSchema());
  return { ok: false, problems: problems.map(yaml.placed) };
}

export type ParsedYaml =
  | {
      ok: true;
      value: unknown;
      /** The problem with the line and column of its path, or of the nearest section above. */
      placed(problem: ExplainedIssue): ConfigProblem;
    }
  | { ok: false; problems: ConfigProblem[] };

/** The plain value of a YAML text, `{}` for an empty one. Never throws. */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  let document: Document;
  try {
    // Not "silent", which would also hide that there are several documents.
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: true,
      logLevel: "error",
    });
  } catch (error) {
    return { ok: false, problems: [unreadable(error)] };
  }
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      ...told(syntaxMessage(error)),
      kind: "syntax" as const,
      ...place(error.pos[0]),
      path: [],
    }));
    return { ok: false, problems };
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
    return {
      ok: true,
      value,
      placed({ message, words, kind, path, suggestion, atKey }) {
        const offset = atKey
          ? keyOffset(document, path.slice(0, -1), String(path.at(-1)))
          : nodeOffset(document, path);
        return { message, words, kind, ...place(offset), path, suggestion };
      },
    };
  } catch (error) {
    return { ok: false, problems: [unreadable(error)] };
  }
}

/** Text that overflows the parser's stack, or aliases that multiply without end. */
function unreadable(error: unknown): ConfigProblem {
  const words = error instanceof RangeError ? tooDeep : asTemplate(oneLine(messageOf(error)));
  return { ...told(words), kind: "syntax", line: 1, column: 1, path: [] };
}

/** Of brackets nested by the thousand. */
const tooDeep = say`it is nested too deeply to be read`;

function syntaxMessage({ code, message }: YAMLParseError): Text {
  switch (code) {
    case "MULTIPLE_DOCS":
      return say`this begins a second document, and a config is one: remove the line \`---\``;
    case "RESOURCE_EXHAUSTION":
      return tooDeep;
    default:
      return asTemplate(oneLine(message));
  }
}

/** What is wrong with a value, not yet where it is written. */
export interface ExplainedIssue
  extends Pick<ConfigProblem, "message" | "words" | "kind" | "path" | "suggestion"> {
  /** It is of the key itself that the path ends in, not of its value. */
  atKey: boolean;
}

/** A validator's findings as sentences, each unknown key one of its own. `schema` is its JSON Schema, `value` what it was given. */
export function explainIssues(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  schema: object,
): ExplainedIssue[] {
  return issues.flatMap((issue): ExplainedIssue[] => {
    const at = issue.path.filter((part) => typeof part !== "symbol");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const suggestion = nearestKey(key, knownKeys(at, value, schema));
        const name = [...at, key].join(".");
        const words = suggestion
          ? say`unknown key \`${name}\`, did you mean \`${suggestion}\`?`
          : say`unknown key \`${name}\``;
        return { ...told(words), kind: "unknownKey", path: [...at, key], suggestion, atKey: true };
      });
    }
    const name = at.join(".");
    const missing =
      (issue.code === "invalid_type" || issue.code === "invalid_union") && issue.input === undefined;
    const what = missing ? undefined : describe(issue);
    const words = !what ? say`\`${name || "images"}\` is missing` : name ? say`\`${name}\`: ${what}` : what;
    return [{ ...told(words), kind: missing ? "missing" : "value", path: at, atKey: false }];
  });
}

/** Parses a config beside the files that it names, which tell their format. `folder` is the config's. */
export async function readConfig(text: string, folder: string): Promise<ParsedConfig> {
  const parsed = parseConfig(text);
  const yaml = parseYaml(text);
  return parsed.ok && yaml.ok ? parseConfig(text, await detectFormats(yaml.value, folder)) : parsed;
}

/** Reads and validates a config file. Throws a LeafError `config` naming file, line and column of the first problem. */
export async function loadConfig(file: string): Promise<Config> {
  const text = await readConfigText(file, say`Run \`leaf init\` to write one, or name it with --config.`);
  const parsed = await readConfig(text, path.dirname(file));
  if (parsed.ok) return parsed.config;
  throw problemError(file, parsed.problems);
}

/** The text of a config, as UTF-8. Throws a LeafError `config` where it cannot be read. */
export async function readConfigText(file: string, remedy: Text): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const explained = explainFileSystemError(error, "read", file);
    if (!(explained instanceof LeafError)) throw error;
    throw new LeafError("config", explained.words.message, { file, remedy });
  }
}

/** The first problem as an error that names its place, and how many more there are. */
export function problemError(file: string, problems: readonly ConfigProblem[]): LeafError {
  const [first, ...rest] = problems as [ConfigProblem, ...ConfigProblem[]];
  const more = rest.length > 0 ? say` (and ${rest.length} more)` : "";
  return new LeafError(
    "config",
    say`${path.basename(file)}:${first.line}:${first.column}: ${first.words}${more}${/[?.]$/.test(first.message) && !more ? "" : "."}`,
    {
      file,
      line: first.line,
      column: first.column,
      remedy: first.suggestion ? say`Write \`${first.suggestion}\` instead.` : undefined,
    },
  );
}

function oneLine(message: string): string {
  return redact(message.split("\n")[0]!.replace(/[.:]\s*$/, ""));
}

function told(words: Text): { message: string; words: Text } {
  return { message: inEnglish(words), words };
}

/** A value as it may stand in a sentence; one that contains itself (by an alias) has no text. */
function quoted(value: unknown): string {
  try {
    return redact(JSON.stringify(value) ?? "nothing");
  } catch {
    return "a value that contains itself";
  }
}

/** How the validator calls types, for translators. */
const typeNames = [
  marked("number"),
  marked("int"),
  marked("string"),
  marked("boolean"),
  marked("array"),
  marked("object"),
  marked("record"),
  marked("tuple"),
];

function describe(issue: z.core.$ZodIssue): Text {
  const got = quoted("input" in issue ? issue.input : undefined);
  if (issue.code === "invalid_value") {
    const wanted = issue.values.map((value) => `\`${String(value)}\``).join(", ");
    return issue.values.length > 1
      ? say`must be one of ${wanted}, not ${got}`
      : say`must be ${wanted}, not ${got}`;
  }
  if (issue.code === "invalid_union") {
    // A discriminated union names its choices; a plain one is told by its first branch that says more than a type.
    if ("discriminator" in issue) return say`must be one of ${kindsAt(issue.path as string[])}`;
    const inner = issue.errors
      .flat()
      .find((one) => one.code === "custom" || one.code === "unrecognized_keys");
    return inner ? asTemplate(oneLine(inner.message)) : say`has the wrong type (${got})`;
  }
  const type = /^Invalid input: expected (.*), received .*$/.exec(issue.message)?.[1];
  if (type && typeNames.includes(type)) return say`must be a ${asTemplate(type)}, not ${got}`;
  if (type) return say`must be a ${type}, not ${got}`;
  const bound = /^Too (?:small|big): expected \w+ to be (.*)$/.exec(issue.message)?.[1];
  return bound ? say`must be ${oneLine(bound)}` : asTemplate(oneLine(issue.message));
}

/** Keys that the schema knows at a place of the document, for "did you mean". */
function knownKeys(at: (string | number)[], value: unknown, root: object): string[] {
  let schema = root as JsonSchema | undefined;
  let here: unknown = value;
  for (const part of at) {
    here = (here as Record<string, unknown> | undefined)?.[part];
    schema = schema?.properties?.[part] ?? schema?.items ?? schema?.additionalProperties;
    for (const options of [schema?.anyOf, schema?.oneOf])
      schema = alternativeFor(here, options ?? []) ?? schema;
  }
  return Object.keys(schema?.properties ?? {});
}

/** The alternative that the value's `kind` names, or else the first one that has keys. */
function alternativeFor(value: unknown, options: JsonSchema[]): JsonSchema | undefined {
  const kind = (value as { kind?: unknown } | undefined)?.kind;
  const named = options.find((option) => kind !== undefined && option.properties?.kind?.const === kind);
  return named ?? options.find((option) => option.properties);
}

/** The kinds that a choice at the top of the config knows. */
function kindsAt([section = ""]: string[]): string {
  const schema = (configJsonSchema() as JsonSchema).properties?.[section];
  const kinds = (schema?.oneOf ?? schema?.anyOf ?? []).map((option) => option.properties?.kind?.const);
  return kinds.map((kind) => `\`${String(kind)}\``).join(", ");
}

interface JsonSchema {
  const?: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/** The known key that was meant, if one is near enough. */
export function nearestKey(key: string, known: string[]): string | undefined {
  if (known.length === 0) return undefined;
  const lower = key.toLowerCase();
  const best = closest(
    lower,
    known.map((k) => k.toLowerCase()),
  );
  const far = distance(lower, best) > Math.max(2, Math.ceil(key.length / 2));
  return far ? undefined : known.find((k) => k.toLowerCase() === best);
}

type Document = ReturnType<typeof parseDocument>;

function nodeOffset(document: Document, at: (string | number)[]): number {
  // The deepest node that exists: a missing key is reported at its parent.
  for (let depth = at.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(at.slice(0, depth), true);
    const found = (node as { range?: [number, number, number] } | null | undefined)?.range?.[0];
    if (found !== undefined) return found;
  }
  return 0;
}

function keyOffset(document: Document, at: (string | number)[], key: string): number {
  const parent = (at.length === 0 ? document.contents : document.getIn(at, true)) as
    | { items?: { key?: { value?: unknown; range?: [number, number, number] } }[] }
    | null
    | undefined;
  const pair = parent?.items?.find((item) => String(item.key?.value) === key);
  return pair?.key?.range?.[0] ?? nodeOffset(document, at);
}
