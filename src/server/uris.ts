import { URI } from "vscode-uri";

/** Path of a `file:` URI, as this machine writes it. */
export function fileOf(uri: string): string {
  return URI.parse(uri).fsPath;
}

/** The URI of a path, encoded as the editor does it, so that the two compare as text. */
export function uriOf(file: string): string {
  return URI.file(file).toString();
}
