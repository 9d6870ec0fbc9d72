import { flowText } from "../../engine/config/yamlDocument.ts";
import { escapeMarkdown } from "../../words/escape.ts";
import { t } from "../locale.ts";
import type { ConfigPath } from "./context.ts";
import { alternatives, defaultOf, descriptionOf, namedValues, type SchemaNode } from "./schema.ts";

/** Markdown on a key: what it is, its type and default, and what it may be. Empty for an unknown key. */
export function describeKey(path: ConfigPath, nodes: SchemaNode[]): string {
  if (nodes.length === 0) return "";
  // A key may be anybody's, such as one of `serve.env`.
  const named = path
    .filter((part) => typeof part === "string")
    .map((part) => (/^\w+$/.test(part) ? part : escapeMarkdown(part)))
    .join(".");
  const fallback = defaultOf(nodes);
  const head = [`**${named}**`, typeOf(nodes)];
  if (fallback !== undefined && !isEmpty(fallback)) head.push(t("default {0}", `\`${flowText(fallback)}\``));
  const keys = [
    ...new Set(nodes.flatMap(alternatives).flatMap((node) => Object.keys(node.properties ?? {}))),
  ];
  const parts = [head.filter(Boolean).join(" · "), t(descriptionOf(nodes) ?? "")];
  if (keys.length > 0) parts.push(t("Keys: {0}", keys.map((key) => `\`${key}\``).join(", ")));
  return parts.filter(Boolean).join("\n\n");
}

/** The type in words, with its bounds: "whole number from 1 to 10000". */
export function typeOf(nodes: SchemaNode[]): string {
  const options = nodes.flatMap(alternatives);
  const named = namedValues(nodes.filter((node) => node.type !== "boolean")).filter(
    (value) => value !== null,
  );
  const words = options.flatMap((node) => (node.enum || node.const !== undefined ? [] : [typeWord(node)]));
  if (named.length > 0) words.unshift(named.map((value) => `\`${flowText(value)}\``).join(" | "));
  const unique = [...new Set(words.filter((word) => word !== "null"))];
  if (words.includes("null")) unique.push("`null`");
  return unique.reduce((all, one) => (all ? t("{0} or {1}", all, one) : one), "");
}

function typeWord(node: SchemaNode): string {
  switch (node.type) {
    case "integer":
      return `${t("whole number")}${bounds(node)}`;
    case "number":
      return `${t("number")}${bounds(node)}`;
    case "string":
      return t("text");
    case "boolean":
      return "`true` | `false`";
    case "array":
      return node.prefixItems ? t("list of {0} numbers", node.prefixItems.length) : t("list of text");
    case "object":
      return t("section");
    default:
      return node.type ?? "";
  }
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: SchemaNode): string {
  const real = (bound: number | undefined) =>
    bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER ? bound : undefined;
  const [lo, hi] = [real(minimum), real(maximum)];
  if (lo !== undefined && hi !== undefined) return ` ${t("from {0} to {1}", lo, hi)}`;
  if (lo !== undefined) return `, ${t("at least {0}", lo)}`;
  if (hi !== undefined) return `, ${t("at most {0}", hi)}`;
  if (exclusiveMinimum !== undefined) return `, ${t("more than {0}", exclusiveMinimum)}`;
  return exclusiveMaximum !== undefined ? `, ${t("less than {0}", exclusiveMaximum)}` : "";
}

function isEmpty(value: unknown): boolean {
  return value !== null && typeof value === "object" && Object.keys(value).length === 0;
}
