import {
  type CancellationToken,
  type Disposable,
  EventEmitter,
  type ExtensionContext,
  l10n,
  window,
} from "vscode";
import type { LanguageClient, ServerOptions } from "vscode-languageclient/node";
import { noTelemetry } from "../engine/base/environment.ts";
import type {
  ClientNotifications,
  ParamsOf,
  ResultOf,
  ServerMethod,
  ServerNotifications,
  ServerStart,
} from "../protocol/server.ts";
import { crashCounter } from "./crashes.ts";
import { log } from "./log.ts";

/** Work-done progress, as far as it is read here. */
interface WorkDone {
  kind: "begin" | "report" | "end";
  message?: string;
  percentage?: number;
}

/** The one way to the language server. Nothing is started before something is asked of it. */
export interface Client extends Disposable {
  /** Starts the server unless it runs; resolves once it answers. */
  start(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
  isRunning(): boolean;
  /** Rejects with an error whose `data` is a `Failure`. */
  request<M extends ServerMethod>(
    method: M,
    params: ParamsOf<M>,
    token?: CancellationToken,
  ): Promise<ResultOf<M>>;
  /** Told only to a server that runs. */
  notify<M extends keyof ClientNotifications>(method: M, params: ClientNotifications[M]): void;
  on<M extends keyof ServerNotifications>(
    method: M,
    listener: (params: ServerNotifications[M]) => void,
  ): Disposable;
  /** Work-done progress under a token that goes along with a request. */
  onProgress(token: string, listener: (progress: WorkDone) => void): Promise<Disposable>;
  /** Before the first start, and before one after a break. */
  onStarting(listener: () => void): Disposable;
  /** After every start, also the one after a crash. */
  onReady(listener: () => void): Disposable;
  /** The server died too often and stays dead, or could not be started; false once it runs. */
  onBroken(listener: (broken: boolean) => void): Disposable;
}

const notifications = [
  "leaf/changed",
  "leaf/jobEvents",
  "leaf/scoresChanged",
] as const satisfies readonly (keyof ServerNotifications)[];

/** `leaf.yaml` and everything that ends in `.leaf.yaml`, under whatever language mode. */
export const configPattern = "**/{leaf,*.leaf}.yaml";
const experimentPattern = "**/*.experiment.yaml";

export function createClient(context: ExtensionContext): Client {
  const crashes = crashCounter();
  const launching = new EventEmitter<void>();
  const ready = new EventEmitter<void>();
  const broken = new EventEmitter<boolean>();
  const told = new Map(notifications.map((method) => [method, new EventEmitter<unknown>()]));
  let client: LanguageClient | undefined;
  let starting: Promise<void> | undefined;

  async function start(): Promise<void> {
    starting ??= launch().catch((error) => {
      starting = undefined;
      broken.fire(true);
      throw error;
    });
    await starting;
  }

  async function launch(): Promise<void> {
    launching.fire();
    client ??= await create();
    await client.start();
  }

  async function create(): Promise<LanguageClient> {
    // Loaded here: activation does not wait for it.
    const { LanguageClient, State, TransportKind, CloseAction, ErrorAction, RevealOutputChannelOn } =
      await import("vscode-languageclient/node");
    const module = context.asAbsolutePath("dist/server.js");
    const server: ServerOptions = {
      run: { module, transport: TransportKind.ipc, options: { env: noTelemetry } },
      debug: {
        module,
        transport: TransportKind.ipc,
        options: { execArgv: ["--nolazy", "--inspect=6019"], env: noTelemetry },
      },
    };
    const made = new LanguageClient("leaf", "LEAF", server, {
      documentSelector: [
        { scheme: "file", pattern: configPattern },
        { scheme: "file", pattern: experimentPattern },
      ],
      initializationOptions: { bundle: l10n.bundle } satisfies ServerStart,
      outputChannel: log(),
      traceOutputChannel: log(),
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      // What the server says of configs holds no command; hovers of images are the extension's own (hover.ts).
      markdown: { isTrusted: false, supportHtml: false },
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed() {
          if (crashes.restartAfterCrash()) return { action: CloseAction.Restart, handled: true };
          starting = undefined;
          broken.fire(true);
          void tellBroken();
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
    });
    for (const method of notifications)
      made.onNotification(method, (params: unknown) => told.get(method)?.fire(params));
    made.onDidChangeState(({ newState }) => {
      if (newState !== State.Running) return;
      broken.fire(false);
      ready.fire();
    });
    return made;
  }

  async function tellBroken(): Promise<void> {
    const restartTitle = l10n.t("Restart");
    const logTitle = l10n.t("Show Log");
    const chosen = await window.showErrorMessage(
      l10n.t("The LEAF server stopped five times within three minutes and was not started again."),
      restartTitle,
      logTitle,
    );
    if (chosen === restartTitle) await restart();
    if (chosen === logTitle) log().show();
  }

  async function stop(): Promise<void> {
    const running = client?.isRunning() ? client : undefined;
    starting = undefined;
    await running?.stop();
  }

  async function restart(): Promise<void> {
    crashes.forget();
    await stop();
    await start();
  }

  return {
    start,
    restart,
    stop,
    isRunning: () => client?.isRunning() ?? false,
    async request(method, params, token) {
      await start();
      return token ? client!.sendRequest(method, params, token) : client!.sendRequest(method, params);
    },
    notify(method, params) {
      if (client?.isRunning()) void client.sendNotification(method, params).catch(() => {});
    },
    on: (method, listener) => told.get(method)!.event(listener as (params: unknown) => void),
    async onProgress(token, listener) {
      await start();
      const { WorkDoneProgress } = await import("vscode-languageclient/node");
      return client!.onProgress(WorkDoneProgress.type, token, listener);
    },
    onStarting: (listener) => launching.event(listener),
    onReady: (listener) => ready.event(listener),
    onBroken: (listener) => broken.event(listener),
    dispose() {
      for (const emitter of [launching, ready, broken, ...told.values()]) emitter.dispose();
    },
  };
}
