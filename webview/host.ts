import type { Failure } from "../src/protocol/jobs.ts";
import type {
  HostToPanel,
  PanelMethod,
  PanelRequests,
  PanelState,
  PanelToHost,
} from "../src/protocol/panel.ts";
import { speakFigures } from "../src/words/figure.ts";

/** What a tab may ask of the editor. The same interface is served by the real editor and by the tests' page. */
export interface Host {
  request<M extends PanelMethod>(
    method: M,
    params: PanelRequests[M]["params"],
  ): Promise<PanelRequests[M]["result"]>;
  /** Turns a file's URI into one that this page may load; null for a file outside the workspace. */
  resource(uri: string): string | null;
  /** A text of the interface in the user's language; `{0}` are filled in. */
  text(message: string, ...values: (string | number)[]): string;
}

/** A request that was refused; tabs show its sentence and its remedy. */
export class RefusedRequest extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = "RefusedRequest";
    this.failure = failure;
  }
}

interface VsCodeApi {
  postMessage(message: PanelToHost): void;
  getState(): PanelState | undefined;
  setState(state: PanelState): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** "Run/noun": what comes last tells translators which of two meanings it is. */
export function withoutHint(message: string): string {
  return message.replace(/\/noun$/, "");
}

/** Connects to the editor; every message but answers goes to `onMessage`. */
export function connectHost(onMessage: (message: HostToPanel) => void): Host & {
  /** Says that the panel listens; the editor answers with `init`. */
  ready(): void;
  saveState(state: PanelState): void;
  savedState(): PanelState | undefined;
  setContext(roots: { uri: string; webview: string }[], strings: Record<string, string>): void;
} {
  const api = acquireVsCodeApi();
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  let next = 1;
  let roots: { uri: string; webview: string }[] = [];
  let strings: Record<string, string> = {};
  window.addEventListener("message", ({ data }: MessageEvent<HostToPanel>) => {
    if (data.type === "answer" || data.type === "refusal") {
      const one = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.type === "answer") one?.resolve(data.result as never);
      else one?.reject(new RefusedRequest(data.failure));
    } else onMessage(data);
  });
  return {
    request(method, params) {
      const id = next++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        api.postMessage({ type: "request", id, method, params });
      });
    },
    resource(uri) {
      const root = roots.find((one) => uri.startsWith(`${one.uri}/`));
      return root ? root.webview + uri.slice(root.uri.length) : null;
    },
    text(message, ...values) {
      return (strings[message] ?? withoutHint(message)).replace(/\{(\d+)\}/g, (_, at) =>
        String(values[Number(at)] ?? ""),
      );
    },
    ready() {
      api.postMessage({ type: "ready" });
    },
    saveState(state) {
      api.setState(state);
      api.postMessage({ type: "state", state });
    },
    savedState: () => api.getState(),
    setContext(newRoots, newStrings) {
      roots = newRoots;
      strings = newStrings;
      speakFigures(this.text);
    },
  };
}
