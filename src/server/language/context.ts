import type { Disposable } from "vscode-languageserver/node";
import type { ProjectSnapshot, RunSummary } from "../../protocol/project.ts";

/** Keys and indices from the top of a config, such as `["mos", "file"]`. */
export type ConfigPath = (string | number)[];

/** What the language features need to know of the projects behind the open configs. */
export interface LanguageContext {
  snapshotOf(uri: string): ProjectSnapshot | undefined;
  factsOf(uri: string): FactProblem[];
  /** Oldest first. */
  runsOf(uri: string): RunSummary[];
  /** The listener gets the config that changed, or nothing if any may have. */
  onDidChange(listener: (uri?: string) => void): Disposable;
}

/** A problem of the data that a config names: a folder without images, an interpreter without torch. */
export interface FactProblem {
  /** The key it is about; where the config does not have it, the nearest key above is marked. */
  path: ConfigPath;
  message: string;
  severity: "error" | "warning" | "info";
  code: string;
  fix?:
    | { title: string; kind: "replace"; path: ConfigPath; value: unknown }
    | { title: string; kind: "command"; command: string; arguments?: unknown[] };
}
