import {
  type Disposable,
  type ExtensionContext,
  env,
  l10n,
  Uri,
  ViewColumn,
  type WebviewPanel,
  window,
  workspace,
} from "vscode";
import type { HostToPanel, PanelState, PanelTab } from "../../protocol/panel.ts";
import type { ServerMethod } from "../../protocol/server.ts";
import type { Client } from "../client.ts";
import { failureOf } from "../failureText.ts";
import { log } from "../log.ts";
import { isRunning } from "../projects/contextKeys.ts";
import type { State } from "../projects/state.ts";
import { isHostMethod, panelMessage, panelState } from "./gate.ts";
import { answerHostRequest } from "./host.ts";
import { panelHtml, panelOutline } from "./html.ts";
import { withRater } from "./rater.ts";

const viewType = "leaf.panel";

/** The IQA panel: one webview. The host passes messages on and keeps nothing but where the panel is. */
export interface Panel {
  disposables: Disposable[];
  /** Opens it or brings it to the front; without a tab it opens on what matters now. */
  show(config: string, tab?: PanelTab, focus?: { hash?: string; runs?: string[] }): Promise<void>;
}

export function createPanel(context: ExtensionContext, client: Client, state: State): Panel {
  let panel: WebviewPanel | undefined;
  let kept: PanelState | null = null;
  let ready = false;
  /** Told as soon as the page listens. */
  let waiting: HostToPanel[] = [];

  function post(message: HostToPanel): void {
    if (panel && ready) void panel.webview.postMessage(message);
  }

  function fill(made: WebviewPanel): void {
    panel = made;
    ready = false;
    const { webview } = made;
    const built = Uri.joinPath(context.extensionUri, "dist", "webview");
    const resource = (name: string) => webview.asWebviewUri(Uri.joinPath(built, name)).toString();
    webview.options = {
      enableScripts: true,
      localResourceRoots: [built, Uri.joinPath(context.extensionUri, "media"), ...folders()],
    };
    made.iconPath = {
      light: Uri.joinPath(context.extensionUri, "media", "panel-light.svg"),
      dark: Uri.joinPath(context.extensionUri, "media", "panel-dark.svg"),
    };
    // Before the page: its first word must not be missed.
    webview.onDidReceiveMessage((message) => void receive(made, message));
    // Hidden, the page is gone; shown again, it is made anew and says so.
    made.onDidChangeViewState(() => {
      if (panel === made && !made.visible) ready = false;
    });
    made.onDidDispose(() => {
      if (panel === made) panel = undefined;
    });
    webview.html = panelHtml({
      // Not by node:crypto: to load it would take activation milliseconds.
      nonce: crypto.getRandomValues(Buffer.alloc(18)).toString("base64url"),
      cspSource: webview.cspSource,
      script: resource("panel.js"),
      styles: [resource("panel.css")],
      title: "LEAF IQA",
      language: env.language,
      outline: panelOutline(l10n.t, state.projects()),
    });
  }

  async function receive(from: WebviewPanel, raw: unknown): Promise<void> {
    const message = panelMessage(raw);
    if (!message) {
      log().warn("The panel sent a message that is not known; it was ignored.");
      return;
    }
    if (message.type === "state") {
      // Picked there; a page that is only made anew says what it already was.
      if (message.state.config && message.state.config !== kept?.config) state.use(message.state.config);
      kept = message.state;
    } else if (message.type === "ready") {
      // Also said again after the page was hidden and made anew.
      ready = true;
      post(init(from));
      for (const one of waiting) post(one);
      waiting = [];
      await state.refresh().catch((error) => log().error(String(error)));
    } else {
      const { id, method, params } = message;
      try {
        const result = isHostMethod(method)
          ? await answerHostRequest(client, method, params)
          : await client.request(method as ServerMethod, (await withRater(method, params)) as never);
        void from.webview.postMessage({ type: "answer", id, result } satisfies HostToPanel);
      } catch (error) {
        const failure = failureOf(error);
        void from.webview.postMessage({ type: "refusal", id, failure } satisfies HostToPanel);
      }
    }
  }

  function init({ webview }: WebviewPanel): HostToPanel {
    return {
      type: "init",
      state: kept,
      projects: state.projects(),
      roots: folders().map((uri) => ({
        uri: uri.toString().replace(/\/$/, ""),
        webview: webview.asWebviewUri(uri).toString().replace(/\/$/, ""),
      })),
      strings: l10n.bundle ?? {},
    };
  }

  return {
    disposables: [
      window.registerWebviewPanelSerializer(viewType, {
        async deserializeWebviewPanel(restored: WebviewPanel, saved: unknown) {
          kept = panelState(saved);
          panel?.dispose();
          fill(restored);
        },
      }),
      state.onChanged((projects) => post({ type: "projects", projects })),
      client.on("leaf/jobEvents", (told) => post({ type: "jobEvents", ...told })),
      client.on("leaf/scoresChanged", (told) => post({ type: "scoresChanged", ...told })),
      workspace.onDidChangeWorkspaceFolders(() => {
        if (panel) fill(panel);
      }),
    ],
    async show(config, tab, focus) {
      const isNew = !panel;
      if (panel) panel.reveal(undefined, false);
      else {
        kept = kept && { ...kept, config };
        fill(window.createWebviewPanel(viewType, "LEAF IQA", ViewColumn.Active, { enableFindWidget: false }));
      }
      const several = state.projects().length > 1;
      const goTo = tab ?? (several || isNew ? tabOf(state, config) : undefined);
      if (!goTo) return;
      const message: HostToPanel = { type: "show", config, tab: goTo, focus };
      if (ready) post(message);
      else waiting = [message];
    },
  };
}

function folders(): Uri[] {
  return (workspace.workspaceFolders ?? []).map(({ uri }) => uri);
}

/** What matters now: a job that runs, else what came out, else how to begin. */
function tabOf(state: State, config: string): PanelTab {
  const project = state.project(config);
  if (!project || isRunning(project)) return "run";
  return project.stages.some(({ stage, headline }) => stage === "evaluate" && headline) ? "metrics" : "run";
}
