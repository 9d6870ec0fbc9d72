import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { panelAssets, panelBuild } from "../../../scripts/panelBuild.js";
import { panelOutline } from "../../../src/extension/panel/html.ts";
import type { HostToPanel, PanelMethod, PanelState, PanelToHost } from "../../../src/protocol/panel.ts";
import { translator } from "../../../src/words/translate.ts";
import { startChromium } from "../../support/chromium.ts";
import { answers, createModel, type Model } from "./model/model.ts";
import { picture } from "./pictures.ts";
import { type Theme, themeClass } from "./themes.ts";

const screenshots = path.join(import.meta.dirname, "../../.screenshots/webview");

export interface Asked {
  method: PanelMethod;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into params of every kind.
  params: any;
}

/** The panel in real Chromium, with an editor around it that answers from `model`. */
export interface OpenPanel {
  page: Page;
  model: Model;
  /** Every request of the panel, in order. */
  asked: Asked[];
  /** What the panel last asked to be kept. */
  kept(): PanelState | undefined;
  /** Messages of the browser that should not be: errors, and what the content security policy refused. */
  problems: string[];
  post(message: HostToPanel): Promise<void>;
  /** Sends the model's projects, as the server does after each change. */
  refresh(): Promise<void>;
  setTheme(theme: Theme): Promise<void>;
  /** Writes test/.screenshots/webview/<name>.png. */
  shot(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface PanelOptions {
  model?: Model;
  theme?: Theme;
  width?: number;
  height?: number;
  zoom?: number;
  state?: PanelState | null;
  /** Opens on this tab. */
  tab?: PanelState["tab"];
  reducedMotion?: boolean;
  /** The editor's language: English text → text of that language. */
  strings?: Record<string, string>;
  /** Files of the panel that cannot be fetched, as a pattern. */
  missing?: string;
}

export interface FakeEditor {
  open(options?: PanelOptions): Promise<OpenPanel>;
  /** Where it listens: for looking at it by hand. */
  origin: string;
  close(): Promise<void>;
}

/** Builds the panel and starts a browser and a server for it: once a test file. */
export async function startEditor(): Promise<FakeEditor> {
  const files = await panelFiles();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    try {
      const [type, body] = pathname.startsWith("/root/")
        ? [pathname.endsWith(".png") ? "image/png" : "image/webp", await picture(pathname)]
        : (files.get(pathname) ?? ["text/plain", undefined]);
      response.writeHead(body === undefined ? 404 : 200, { "content-type": type }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await startChromium();
  return {
    origin,
    open: (options = {}) => openPanel(browser, files, origin, options),
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function openPanel(
  browser: Browser,
  files: Files,
  origin: string,
  options: PanelOptions,
): Promise<OpenPanel> {
  const { width = 1200, height = 800, theme = "dark", zoom = 1, reducedMotion = false } = options;
  const model = options.model ?? createModel();
  const context = await browser.newContext({
    viewport: { width: Math.round(width / zoom), height: Math.round(height / zoom) },
    deviceScaleFactor: zoom,
    reducedMotion: reducedMotion ? "reduce" : "no-preference",
  });
  const page = await context.newPage();
  const asked: Asked[] = [];
  const problems: string[] = [];
  let kept: PanelState | undefined;
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });

  const post = (message: HostToPanel) => page.evaluate((data) => window.postMessage(data, "*"), message);
  const init = (state: PanelState | null): HostToPanel => ({
    type: "init",
    state,
    projects: model.projects,
    roots: [{ uri: "file:///workspace", webview: `${origin}/root/workspace` }],
    strings: options.strings ?? {},
  });
  const opening: PanelState | null =
    options.state ??
    (options.tab ? { config: model.projects[0]?.config ?? null, tab: options.tab, tabs: {} } : null);
  await page.exposeFunction("leafToEditor", async (message: PanelToHost) => {
    if (message.type === "ready") await post(init(opening));
    else if (message.type === "state") kept = message.state;
    else {
      const { id, method, params } = message;
      asked.push({ method, params: params as Asked["params"] });
      const failure = model.refusals.get(method);
      const answer = answers[method] as (model: Model, params: unknown) => unknown;
      await post(
        failure ? { type: "refusal", id, failure } : { type: "answer", id, result: answer(model, params) },
      );
    }
  });
  const outline = panelOutline(translator(options.strings ?? {}), model.projects);
  files.set("/", ["text/html", pageHtml(origin, theme, outline)]);
  if (options.missing) await page.route(options.missing, (route) => route.abort());
  await page.goto(`${origin}/`);
  return {
    page,
    model,
    asked,
    kept: () => kept,
    problems,
    post,
    refresh: async () => {
      for (const project of model.projects) project.revision++;
      await post({ type: "projects", projects: model.projects });
    },
    setTheme: (next) =>
      page.evaluate(
        ([name, kind]) => {
          document.body.className = kind!;
          document.body.dataset.vscodeThemeKind = kind;
          document.documentElement.dataset.theme = name;
        },
        [next, themeClass(next)],
      ),
    async shot(name) {
      mkdirSync(screenshots, { recursive: true });
      // Charts are fetched with the first one; those that nobody sees are not drawn.
      for (
        let tries = 0;
        tries < 20 && (await page.locator("leaf-chart .drawing:empty").count()) > 0;
        tries++
      )
        await page.waitForTimeout(50);
      await page.screenshot({ path: path.join(screenshots, `${name}.png`) });
    },
    close: () => context.close(),
  };
}

type Files = Map<string, [type: string, body: string | Buffer]>;

async function panelFiles(): Promise<Files> {
  const { outputFiles = [] } = await build({
    ...panelBuild("/", { minify: true }),
    sourcemap: false,
    write: false,
  });
  const types: Record<string, string> = { ".js": "text/javascript", ".css": "text/css", ".ttf": "font/ttf" };
  const files: Files = new Map();
  for (const file of outputFiles)
    files.set(file.path, [types[path.extname(file.path)]!, Buffer.from(file.contents)]);
  for (const file of panelAssets)
    files.set(`/${path.basename(file)}`, [types[path.extname(file)]!, readFileSync(file)]);
  files.set("/themes.css", ["text/css", readFileSync(path.join(import.meta.dirname, "themes.css"))]);
  files.set("/editorApi.js", ["text/javascript", editorApi]);
  return files;
}

/** As the extension's page is: everything that the policy does not name is refused. */
function pageHtml(origin: string, theme: Theme, outline: string): string {
  const policy = `default-src 'none'; img-src ${origin} data: blob:; style-src ${origin}; font-src ${origin}; script-src 'nonce-leaf';`;
  const kind = themeClass(theme);
  return `<!doctype html>
<html lang="en" data-theme="${theme}">
<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width"><title>LEAF IQA</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/themes.css"><link rel="stylesheet" href="/panel.css"></head>
<body class="${kind}" data-vscode-theme-kind="${kind}">
${outline}
<script nonce="leaf" src="/editorApi.js"></script><script nonce="leaf" type="module" src="/panel.js"></script>
</body></html>`;
}

const editorApi = `
const key = "leaf-state";
window.acquireVsCodeApi = () => ({
  postMessage: (message) => void window.leafToEditor(JSON.parse(JSON.stringify(message))),
  getState: () => JSON.parse(sessionStorage.getItem(key) ?? "null") ?? undefined,
  setState: (state) => sessionStorage.setItem(key, JSON.stringify(state)),
});
`;
