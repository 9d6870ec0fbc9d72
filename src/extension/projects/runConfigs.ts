import {
  commands,
  type Disposable,
  EventEmitter,
  l10n,
  Range,
  Uri,
  WorkspaceEdit,
  window,
  workspace,
} from "vscode";
import type { Client } from "../client.ts";

const scheme = "leaf-run";

/** The configs of past runs as read-only documents, and what is done with them. */
export function runConfigs(client: Client): {
  disposables: Disposable[];
  diff(config: string, run: string): Promise<void>;
  restore(config: string, run: string): Promise<void>;
} {
  const changed = new EventEmitter<Uri>();
  const provider = workspace.registerTextDocumentContentProvider(scheme, {
    onDidChange: changed.event,
    async provideTextDocumentContent(uri) {
      const { config, run } = JSON.parse(uri.query) as { config: string; run: string };
      const { text } = await client.request("leaf/runConfig", { config, run });
      return text;
    },
  });
  return {
    disposables: [changed, provider],
    async diff(config, run) {
      const left = documentOf(config, run);
      const right = Uri.parse(config, true);
      await commands.executeCommand("vscode.diff", left, right, l10n.t("{0} ↔ {1}", run, baseName(right)));
    },
    /** Written into the editor's document: Undo takes it back, saving is up to the user. */
    async restore(config, run) {
      const { text } = await client.request("leaf/runConfig", { config, run });
      const document = await workspace.openTextDocument(Uri.parse(config, true));
      const edit = new WorkspaceEdit();
      const whole = new Range(0, 0, document.lineCount, 0);
      edit.replace(document.uri, document.validateRange(whole), text);
      await workspace.applyEdit(edit);
      await window.showTextDocument(document);
    },
  };
}

function documentOf(config: string, run: string): Uri {
  const name = baseName(Uri.parse(config, true));
  return Uri.from({ scheme, path: `/${run}/${name}`, query: JSON.stringify({ config, run }) });
}

function baseName(uri: Uri): string {
  return uri.path.split("/").at(-1) ?? "leaf.yaml";
}
