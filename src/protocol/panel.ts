import type { Failure, JobEvent, JobSnapshot } from "./jobs.ts";
import type { ProjectSnapshot } from "./project.ts";
import type { ServerMethod, ServerRequests } from "./server.ts";

export const panelTabs = ["run", "pairs", "metrics", "gallery", "rate", "runs"] as const;
export type PanelTab = (typeof panelTabs)[number];

/** Server requests that the panel may make; the host passes them on and nothing else. */
export const panelMethods = [
  "leaf/jobEvents",
  "leaf/stop",
  "leaf/runs",
  "leaf/pinRun",
  "leaf/curves",
  "leaf/experiments",
  "leaf/experiment",
  "leaf/experimentText",
  "leaf/evaluation",
  "leaf/reliability",
  "leaf/images",
  "leaf/image",
  "leaf/heatMap",
  "leaf/pairs",
  "leaf/overrulePair",
  "leaf/thumbnails",
  "leaf/ratingQueue",
  "leaf/rate",
  "leaf/ratingCurve",
  "leaf/ratingRefit",
  "leaf/exclude",
] as const satisfies readonly ServerMethod[];

/** What only the editor can do. */
export interface HostRequests {
  /** A LEAF command, by name; the host refuses all others. */
  "host/command": {
    params: { command: string; config: string | null; argument?: unknown };
    result: null;
  };
  "host/openFile": { params: { uri: string; beside?: boolean }; result: null };
  "host/reveal": { params: { uri: string }; result: null };
  "host/copy": { params: { text: string }; result: null };
  /** Asks where, and writes the text there. */
  "host/save": { params: { name: string; text: string }; result: { saved: boolean } };
}

export type PanelRequests = Pick<ServerRequests, (typeof panelMethods)[number]> & HostRequests;
export type PanelMethod = keyof PanelRequests;

/** Where the panel is; kept over hide, reload and move to another window. */
export interface PanelState {
  config: string | null;
  tab: PanelTab;
  /** What each tab wants to keep: filters, sort, place. Small, plain JSON. */
  tabs: Partial<Record<PanelTab, unknown>>;
}

export type HostToPanel =
  | {
      type: "init";
      state: PanelState | null;
      projects: ProjectSnapshot[];
      /** URI prefixes that the webview may show, and what stands for them there. */
      roots: { uri: string; webview: string }[];
      strings: Record<string, string>;
    }
  | { type: "projects"; projects: ProjectSnapshot[] }
  | { type: "jobEvents"; config: string; job: JobSnapshot; events: JobEvent[] }
  | { type: "scoresChanged"; uris: string[]; all: boolean }
  /** Go to a tab, a pair or an image; from a lens, a tree or a hover. */
  | { type: "show"; config: string | null; tab: PanelTab; focus?: { hash?: string; runs?: string[] } }
  | { type: "answer"; id: number; result: unknown }
  | { type: "refusal"; id: number; failure: Failure };

export type PanelToHost =
  | { type: "ready" }
  | { type: "state"; state: PanelState }
  | { type: "request"; id: number; method: PanelMethod; params: unknown };
