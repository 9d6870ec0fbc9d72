import { commands, type Disposable, EventEmitter } from "vscode";
import type { ProjectSnapshot } from "../../protocol/project.ts";
import type { Client } from "../client.ts";
import { log } from "../log.ts";
import { contextKeys } from "./contextKeys.ts";

/** The last that the server told of all projects. Views draw from it and own no state of their own. */
export interface State extends Disposable {
  projects(): ProjectSnapshot[];
  /** By the URI of its config. */
  project(config: string): ProjectSnapshot | undefined;
  /** The project whose folder holds a file; the innermost one. */
  projectOfFile(uri: string): ProjectSnapshot | undefined;
  onChanged(listener: (projects: ProjectSnapshot[]) => void): Disposable;
  /** Asks the server, starting it if need be. */
  refresh(): Promise<ProjectSnapshot[]>;
}

export function createState(client: Client): State {
  const changed = new EventEmitter<ProjectSnapshot[]>();
  const keysSet = new Map<string, boolean>();
  let projects: ProjectSnapshot[] = [];

  function update(next: ProjectSnapshot[]): void {
    projects = next;
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

  async function refresh(): Promise<ProjectSnapshot[]> {
    update(await client.request("leaf/projects", {}));
    return projects;
  }

  const subscriptions = [
    client.on("leaf/changed", (told) => update(told.projects)),
    client.onStarting(() => setContext({ "leaf.starting": true })),
    client.onReady(() => void refresh().catch((error) => log().warn(String(error)))),
    client.onBroken((broken) =>
      setContext({ "leaf.serverBroken": broken, ...(broken && { "leaf.starting": false }) }),
    ),
  ];
  return {
    projects: () => projects,
    project: (config) => projects.find((one) => one.config === config),
    projectOfFile: (uri) =>
      projects
        .filter(({ folder }) => uri.startsWith(`${folder}/`))
        .sort((a, b) => b.folder.length - a.folder.length)[0],
    onChanged: (listener) => changed.event(listener),
    refresh,
    dispose() {
      for (const one of [...subscriptions, changed]) one.dispose();
    },
  };
}
