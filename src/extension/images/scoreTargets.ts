/**
 * URIs that `leaf.score` was given: one as text (a hover's link), several as an array (the panel), or what the Explorer's menu
 * gives: the item under the pointer and all that are selected.
 */
export function urisOfArguments(args: unknown[]): string[] {
  const [first, selected] = args;
  if (Array.isArray(selected) && selected.length > 0) return unique(selected.flatMap(uriOf));
  return unique(Array.isArray(first) ? first.flatMap(uriOf) : uriOf(first));
}

function uriOf(value: unknown): string[] {
  if (typeof value === "string") return value.includes(":") ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  if ("uri" in value) return uriOf(value.uri);
  if ("row" in value) return uriOf(value.row);
  // A vscode.Uri, told by its shape.
  return "scheme" in value && "path" in value ? [value.toString()] : [];
}

function unique(uris: string[]): string[] {
  return [...new Set(uris)];
}
