import {
  type CompletionItem,
  CompletionItemKind,
  InsertTextFormat,
  type MarkupContent,
} from "vscode-languageserver/node";
import { flowText, scalarText } from "../../engine/config/yamlDocument.ts";
import { t } from "../locale.ts";
import { type Candidate, candidatesFor } from "./candidates.ts";
import { type ConfigDocument, folderOf } from "./configDocument.ts";
import { type Cursor, cursorAt } from "./cursor.ts";
import { describeKey } from "./describe.ts";
import { acceptsText, defaultOf, isPlain, isSection, namedValues, schemasAt } from "./schema.ts";
import { keySnippet, plainText, skeleton, valueSnippet } from "./snippets.ts";
import { proposals } from "./yamlService.ts";

const suggestAgain = { title: "", command: "editor.action.triggerSuggest" };

/** What may be written at an offset: keys and values of the schema, files, folders, columns of the CSV files, students. */
export async function completionsAt(config: ConfigDocument, offset: number): Promise<CompletionItem[]> {
  const cursor = cursorAt(config.text, offset);
  if (!cursor) return [];
  const nodes = schemasAt(cursor.path, cursor.valueAt);
  if (cursor.kind === "key" && isSection(nodes) && typeof cursor.path.at(-1) !== "number") {
    const keys = await keyItems(config, cursor);
    // A word alone on its line, where a value may stand, may be the value itself.
    return cursor.alone && !cursor.flow && acceptsText(nodes)
      ? [...keys, ...(await valueItems(config, cursor))]
      : keys;
  }
  return valueItems(config, cursor);
}

async function keyItems(config: ConfigDocument, cursor: Cursor): Promise<CompletionItem[]> {
  const { keys } = await proposals(cursor.kind === "key" ? cursor : { ...cursor, kind: "key" });
  const items = keys.map((key, i): CompletionItem => {
    const path = [...cursor.path, key];
    const nodes = schemasAt(path, cursor.valueAt);
    const asked = askedFor.has(path.join("."));
    const text = cursor.colon || cursor.quote ? key : asked ? `${key}: $1` : keySnippet(path, cursor.flow);
    return {
      label: key,
      kind: isSection(nodes) ? CompletionItemKind.Module : CompletionItemKind.Property,
      documentation: markdown(describeKey(path, nodes)),
      insertTextFormat: InsertTextFormat.Snippet,
      textEdit: { range: config.range(...cursor.span), newText: text },
      sortText: `1${String(i).padStart(3, "0")}`,
      ...(asked && !cursor.colon ? { command: suggestAgain } : {}),
    };
  });
  if (cursor.path.length > 0 || cursor.siblings.length > 0 || cursor.flow || cursor.colon) return items;
  return [
    {
      label: t("LEAF config"),
      kind: CompletionItemKind.Snippet,
      detail: t("all stages, with the embedded teacher"),
      documentation: markdown(`\`\`\`yaml\n${plainText(skeleton)}\n\`\`\``),
      filterText: `leaf config images ${cursor.typed}`,
      insertTextFormat: InsertTextFormat.Snippet,
      textEdit: { range: config.range(...cursor.span), newText: skeleton },
      sortText: "0",
      preselect: true,
    },
    ...items,
  ];
}

/** Keys whose values are best picked from a list of what is there. */
const askedFor = new Set([
  "images",
  "mos.file",
  "mos.image",
  "mos.score",
  "split.file",
  "split.column",
  "student.model",
  "python.interpreter",
]);

async function valueItems(config: ConfigDocument, cursor: Cursor): Promise<CompletionItem[]> {
  const nodes = schemasAt(cursor.path, cursor.valueAt);
  if (nodes.length === 0) return [];
  const about = markdown(describeKey(cursor.path, nodes));
  const inline = cursor.flow || !cursor.alone;
  if (inline && cursor.typed === "" && isSection(nodes) && !acceptsText(nodes))
    return [braces(config, cursor)];
  const range = config.range(...cursor.span);
  const item = (text: string, kind: CompletionItemKind, rest: Partial<CompletionItem>): CompletionItem => ({
    label: text,
    kind,
    documentation: about,
    filterText: text,
    textEdit: { range, newText: written(text, cursor, kind) },
    ...rest,
  });
  const folder = folderOf(config.uri);
  const found = folder ? await candidatesFor(cursor.path, folder, cursor.typed, cursor.valueAt) : [];
  const items = found.map((one, i) => {
    const deeper = one.text.endsWith("/") ? { command: suggestAgain } : {};
    const bang = cursor.typed.startsWith("!") ? "!" : "";
    return item(bang + one.text, kinds[one.kind], {
      detail: one.detail,
      sortText: `1${String(i).padStart(4, "0")}`,
      ...deeper,
    });
  });
  const taken = new Set(found.map(({ text }) => text));
  for (const [i, value] of (await schemaValues(cursor)).entries()) {
    if (taken.has(value)) continue;
    const isDefault = value === flowText(defaultOf(nodes));
    items.push(
      item(value, CompletionItemKind.Value, {
        detail: isDefault ? t("default") : undefined,
        sortText: `2${String(i).padStart(3, "0")}`,
      }),
    );
  }
  return items;
}

/** A whole section behind its key. */
function braces(config: ConfigDocument, cursor: Cursor): CompletionItem {
  const text = valueSnippet(cursor.path);
  return {
    label: plainText(text),
    kind: CompletionItemKind.Module,
    documentation: markdown(describeKey(cursor.path, schemasAt(cursor.path, cursor.valueAt))),
    insertTextFormat: InsertTextFormat.Snippet,
    textEdit: { range: config.range(...cursor.span), newText: text },
  };
}

/** The values that the YAML service finds, and those that it does not tell apart from text. */
async function schemaValues(cursor: Cursor): Promise<string[]> {
  const nodes = schemasAt(cursor.path, cursor.valueAt);
  const { values } = cursor.kind === "value" ? await proposals(cursor) : { values: [] };
  const fallback = defaultOf(nodes);
  const own = [...(isPlain(fallback) ? [fallback] : []), ...namedValues(nodes)].map(flowText);
  return [...new Set([...own, ...values.filter((value) => !/[\n:]/.test(value) && value !== "")])];
}

const kinds: Record<Candidate["kind"], CompletionItemKind> = {
  folder: CompletionItemKind.Folder,
  file: CompletionItemKind.File,
  column: CompletionItemKind.Field,
  student: CompletionItemKind.Constant,
};

/** The value as it must be written here: quoted if it needs to be and is not yet. */
function written(text: string, { quote, flow }: Cursor, kind: CompletionItemKind): string {
  if (kind === CompletionItemKind.Value) return text;
  if (quote === "'") return text.replaceAll("'", "''");
  if (quote === '"') return JSON.stringify(text).slice(1, -1);
  return flow || !/^[\p{L}_./][^:#\n]*[^\s:#]$/u.test(text) ? scalarText(text) : text;
}

function markdown(value: string): MarkupContent {
  return { kind: "markdown", value };
}
