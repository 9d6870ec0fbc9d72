import { type Disposable, Hover, languages, MarkdownString, Range, type TextDocument, Uri } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { Leaf } from "../leaf.ts";
import { log } from "../log.ts";
import { isOn } from "../settings.ts";

/** Longer lines are data, not text; they are not sent. */
const longestLine = 20_000;

const selector = ["file", "untitled", "vscode-notebook-cell"].map((scheme) => ({ scheme }));

/** The quality of an image, wherever its path stands in a text. One line goes to the server, never the document. */
export function hover({ client, state }: Leaf): Disposable[] {
  return [
    languages.registerHoverProvider(selector, {
      async provideHover(document, position, token) {
        if (state.projects().length === 0 || !client.isRunning() || !isOn("hover.enabled")) return undefined;
        const { text } = document.lineAt(position.line);
        if (text.length > longestLine || !text.trim()) return undefined;
        const { character } = position;
        try {
          const answer = await client.request(
            "leaf/imageHover",
            { document: fileOf(document).toString(), text, character },
            token,
          );
          if (!answer || token.isCancellationRequested) return undefined;
          const range = new Range(position.line, answer.start, position.line, answer.end);
          return new Hover(markdownOf(answer.markdown, document), range);
        } catch (error) {
          if (!token.isCancellationRequested) log().debug(`No hover: ${String(error)}`);
          return undefined;
        }
      },
    }),
  ];
}

function markdownOf(text: string, document: TextDocument): MarkdownString {
  const made = new MarkdownString(text, true);
  made.supportHtml = false;
  made.isTrusted = { enabledCommands: [commandIds.openPanel, commandIds.score] };
  if (document.uri.scheme === "file") made.baseUri = Uri.joinPath(document.uri, "..", "/");
  return made;
}

/** A notebook's cell stands for the notebook: paths in it are relative to that file. */
function fileOf({ uri }: TextDocument): Uri {
  return uri.scheme === "vscode-notebook-cell" ? uri.with({ scheme: "file", fragment: "" }) : uri;
}
