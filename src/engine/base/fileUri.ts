import { URI } from "vscode-uri";

/** The URI of a path, encoded as the editor does it, so that the two compare as text. */
export function fileUri(file: string): string {
  return URI.file(file).toString();
}
