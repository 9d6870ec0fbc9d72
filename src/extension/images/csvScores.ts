import {
  type DecorationOptions,
  type Disposable,
  l10n,
  MarkdownString,
  Range,
  type TextEditor,
  ThemeColor,
  window,
  workspace,
} from "vscode";
import { escapeMarkdown } from "../../words/escape.ts";
import { scoreFigure } from "../../words/score.ts";
import type { Leaf } from "../leaf.ts";
import { log } from "../log.ts";
import { isOn } from "../settings.ts";
import { decorationTooltip } from "./imageWords.ts";

const waitMs = 200;
const longestLine = 2_000;

/** Scores at the end of the visible lines of tables that hold image names: "LEAF 3.6". */
export function csvScores({ client, state }: Leaf): Disposable[] {
  const type = window.createTextEditorDecorationType({
    after: { color: new ThemeColor("editorCodeLens.foreground"), margin: "0 0 0 2em" },
  });
  const timers = new Map<TextEditor, NodeJS.Timeout>();

  function drawSoon(editor: TextEditor): void {
    clearTimeout(timers.get(editor));
    timers.set(
      editor,
      setTimeout(() => {
        timers.delete(editor);
        void draw(editor).catch((error) => log().debug(`No scores in the table: ${String(error)}`));
      }, waitMs),
    );
  }

  async function draw(editor: TextEditor): Promise<void> {
    if (!isTable(editor)) return;
    if (!isOn("csvScores.enabled") || !client.isRunning() || state.projects().length === 0) {
      editor.setDecorations(type, []);
      return;
    }
    const { version, uri } = editor.document;
    const lines = visibleLines(editor);
    const found = await client.request("leaf/pathsInText", { document: uri.toString(), lines });
    const scores = found.length
      ? await client.request("leaf/scores", { uris: found.map((one) => one.uri) })
      : [];
    // Something was typed meanwhile: its own drawing is on the way.
    if (editor.document.version !== version) return;
    const byLine = new Map<number, { texts: string[]; tooltips: string[] }>();
    for (const [at, { line }] of found.entries()) {
      const known = scores[at];
      if (!known) continue;
      const shown = byLine.get(line) ?? { texts: [], tooltips: [] };
      shown.texts.push(scoreFigure(known.score, known.scale));
      shown.tooltips.push(escapeMarkdown(decorationTooltip(known, l10n.t)));
      byLine.set(line, shown);
    }
    editor.setDecorations(
      type,
      [...byLine].map(([line, shown]) => decorationOf(editor, line, shown)),
    );
  }

  function drawAll(): void {
    for (const editor of window.visibleTextEditors) if (isTable(editor)) drawSoon(editor);
  }

  return [
    type,
    { dispose: () => timers.forEach(clearTimeout) },
    window.onDidChangeVisibleTextEditors(drawAll),
    window.onDidChangeTextEditorVisibleRanges(
      ({ textEditor }) => isTable(textEditor) && drawSoon(textEditor),
    ),
    workspace.onDidChangeTextDocument(({ document }) => {
      for (const editor of window.visibleTextEditors)
        if (editor.document === document && isTable(editor)) drawSoon(editor);
    }),
    workspace.onDidChangeConfiguration(
      (change) => change.affectsConfiguration("leaf.csvScores") && drawAll(),
    ),
    client.on("leaf/scoresChanged", drawAll),
    state.onChanged(
      onlyWhen(
        () =>
          state
            .projects()
            .map((one) => `${one.config} ${one.scorer?.fingerprint}`)
            .join("\n"),
        drawAll,
      ),
    ),
  ];
}

/** Calls `work` when what `look` sees has changed. */
function onlyWhen(look: () => string, work: () => void): () => void {
  let seen = "";
  return () => {
    const now = look();
    if (now !== seen) work();
    seen = now;
  };
}

function isTable({ document }: TextEditor): boolean {
  return (
    document.uri.scheme === "file" &&
    (/\.(?:csv|tsv)$/i.test(document.uri.path) || ["csv", "tsv"].includes(document.languageId))
  );
}

function visibleLines({ document, visibleRanges }: TextEditor): { line: number; text: string }[] {
  const lines = new Map<number, string>();
  for (const { start, end } of visibleRanges) {
    for (let line = start.line; line <= Math.min(end.line, document.lineCount - 1); line++)
      lines.set(line, document.lineAt(line).text.slice(0, longestLine));
  }
  return [...lines].map(([line, text]) => ({ line, text }));
}

function decorationOf(
  { document }: TextEditor,
  line: number,
  { texts, tooltips }: { texts: string[]; tooltips: string[] },
): DecorationOptions {
  const { end } = document.lineAt(line).range;
  return {
    range: new Range(end, end),
    hoverMessage: new MarkdownString(tooltips.join("\n\n")),
    renderOptions: { after: { contentText: `LEAF ${texts.join(" · ")}` } },
  };
}
