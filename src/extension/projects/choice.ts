import type { ProjectSnapshot } from "../../protocol/project.ts";

/** What a command may be given: a URI as text, a `Uri` from a menu, a node of a tree. */
export type Target = unknown;

/** The config's URI that an argument names; null if it names none. */
export function configOfTarget(target: Target): string | null {
  if (typeof target === "string") return target || null;
  if (typeof target !== "object" || target === null) return null;
  if ("config" in target && typeof target.config === "string") return target.config;
  // A vscode.Uri, told by its shape: this file knows nothing of vscode.
  if ("scheme" in target && "path" in target) return target.toString();
  return null;
}

/** The projects with the current one first; the others keep their order. */
export function currentFirst(projects: ProjectSnapshot[], current: string | null): ProjectSnapshot[] {
  return projects.toSorted((a, b) => Number(b.config === current) - Number(a.config === current));
}

/**
 * A project's row at the top of a tree. The first one is open. The id says so too: the editor looks at whether a row is
 * open only when it first sees its id, and so leaves alone what people open and close by hand.
 */
export function rootRow(config: string, ordered: ProjectSnapshot[]): { id: string; open: boolean } {
  const open = ordered[0]?.config === config;
  return { id: open ? `${config}#first` : config, open };
}

export type Choice =
  | { kind: "one"; config: string }
  | { kind: "pick"; projects: ProjectSnapshot[] }
  | { kind: "none" };

/**
 * Which project a command means: the one it is given, the current one, the only one, or one to be picked.
 * A file that is no config (an image, a folder from the Explorer) stands for the project that holds it.
 */
export function chooseProject(
  projects: ProjectSnapshot[],
  target: Target,
  current: string | null,
  fits: (project: ProjectSnapshot) => boolean = () => true,
): Choice {
  const named = configOfTarget(target);
  if (named) return { kind: "one", config: holderOf(projects, named)?.config ?? named };
  const active = projects.find(({ config }) => config === current);
  if (active && fits(active)) return { kind: "one", config: active.config };
  const fitting = projects.filter(fits);
  const [only] = fitting;
  if (!only) {
    const [any] = projects;
    // Let the server say why it does not fit.
    return any && projects.length === 1 ? { kind: "one", config: any.config } : { kind: "none" };
  }
  return fitting.length === 1 ? { kind: "one", config: only.config } : { kind: "pick", projects: fitting };
}

function holderOf(projects: ProjectSnapshot[], uri: string): ProjectSnapshot | undefined {
  return (
    projects.find(({ config }) => config === uri) ??
    projects
      .filter(({ folder }) => uri === folder || uri.startsWith(`${folder}/`))
      .sort((a, b) => b.folder.length - a.folder.length)[0]
  );
}
