import { commands, type Disposable, EventEmitter, type Memento, window } from "vscode";
import type { ProjectSnapshot } from "../../protocol/project.ts";
import type { Client } from "../client.ts";
import { log } from "../log.ts";
import { currentFirst } from "./choice.ts";
import { contextKeys } from "./contextKeys.ts";

const currentKey = "leaf.currentConfig";

/** The last that the server told of all projects. Views draw from it and own no state of their own. */
export interface State extends Disposable {
  projects(): ProjectSnapshot[];
  /** The same, the current one first. */
  ordered(): ProjectSnapshot[];
  /**
   * The URI of the config that commands mean where nothing else is said: the one that was last opened in an editor, picked,
   * or used by a command or the panel. null: none of the present ones yet.
   */
  current(): string | null;
  use(config: string): void;
  onCurrent(listener: () => void): Disposable;
  /** By the URI of its config. */
  project(config: string): ProjectSnapshot | undefined;
  /** The project whose folder holds a file; the innermost one. */
  projectOfFile(uri: string): ProjectSnapshot | undefined;
  onChanged(listener: (projects: ProjectSnapshot[]) => void): Disposable;
  /** Asks the server, starting it if need be. */
  refresh(): Promise<ProjectSnapshot[]>;
}

export function createState(client: Client, memory: Memento): State {
  const changed = new EventEmitter<ProjectSnapshot[]>();
  const switched = new EventEmitter<void>();
  let current = memory.get<string | null>(currentKey, null);
  const keysSet = new Map<string, boolean>();
  let projects: ProjectSnapshot[] = [];

  function update(next: ProjectSnapshot[]): void {
    const before = projects;
    projects = next;
    // A config may be open before the server knows it.
    const opened = openOne();
    if (opened && !before.some(({ config }) => config === opened)) use(opened);
    setContext({ ...contextKeys(projects), "leaf.starting": false });
    changed.fire(projects);
  }

  function setContext(keys: Record<string, boolean>): void {
    for (const [key, value] of Object.entries(keys)) {
      if (keysSet.get(key) === value) continue;
      keysSet.set(key, value);
      void commands.executeCommand("setContext", key, value);
    }
  }

  const known = (config: string | null) => (projects.some((one) => one.config === config) ? config : null);

  function use(config: string): void {
    if (config === current || !known(config)) return;
    current = config;
    void memory.update(currentKey, config);
    switched.fire();
  }

  const openOne = () => window.activeTextEditor?.document.uri.toString();

  async function refresh(): Promise<ProjectSnapshot[]> {
    update(await client.request("leaf/projects", {}));
    return projects;
  }

  const subscriptions = [
    window.onDidChangeActiveTextEditor(() => use(openOne() ?? "")),
    client.on("leaf/changed", (told) => update(told.projects)),
    client.onStarting(() => setContext({ "leaf.starting": true })),
    client.onReady(() => void refresh().catch((error) => log().warn(String(error)))),
    client.onBroken((broken) =>
      setContext({ "leaf.serverBroken": broken, ...(broken && { "leaf.starting": false }) }),
    ),
  ];
  return {
    projects: () => projects,
    ordered: () => currentFirst(projects, current),
    current: () => known(current),
    use,
    onCurrent: (listener) => switched.event(listener),
    project: (config) => projects.find((one) => one.config === config),
    projectOfFile: (uri) =>
      projects
        .filter(({ folder }) => uri.startsWith(`${folder}/`))
        .sort((a, b) => b.folder.length - a.folder.length)[0],
    onChanged: (listener) => changed.event(listener),
    refresh,
    dispose() {
      for (const one of [...subscriptions, changed, switched]) one.dispose();
    },
  };
}
