import path from "node:path";
import fastGlob from "fast-glob";
import { LeafError } from "../engine/base/errors.ts";
import type { ScorerProcess } from "../engine/scoring/process.ts";
import type { ServerSettings } from "../protocol/server.ts";
import { say } from "../words/text.ts";
import { type LiveProject, liveProject, type ProjectEvents } from "./project.ts";
import { fileOf } from "./uris.ts";

const configGlob = "**/{leaf,*.leaf}.yaml";
const ignored = ["**/node_modules/**", "**/.*/**"];
/** A config further down is found when it is opened. */
const depth = 6;

export function isConfigFile(file: string): boolean {
  return /^(leaf|.+\.leaf)\.yaml$/.test(path.basename(file));
}

/** All projects of the window, found by their configs. */
export interface Projects {
  all(): LiveProject[];
  /** By the URI of its config. Throws LeafError `input` if there is none. */
  of(config: string): LiveProject;
  /** The projects whose folder a file lies in, the nearest first. */
  around(file: string): LiveProject[];
  folders(): string[];
  /** Looks for configs in the workspace folders; projects whose config is gone are closed. */
  discover(folders: string[]): Promise<void>;
  /** A config was opened or saved; it may lie anywhere in the workspace. */
  touch(file: string): Promise<void>;
  remove(file: string): Promise<void>;
  applySettings(settings: ServerSettings): void;
  close(mode: "released" | "attached"): Promise<void>;
}

export function openProjects(
  scorer: ScorerProcess,
  firstSettings: ServerSettings,
  events: (config: string) => ProjectEvents,
): Projects {
  const projects = new Map<string, LiveProject>();
  let roots: string[] = [];
  let settings = firstSettings;

  function add(file: string): LiveProject {
    const known = projects.get(file);
    if (known) return known;
    const added = liveProject(file, nameOf(file, roots), scorer, settings, events(file));
    projects.set(file, added);
    return added;
  }

  return {
    all: () => [...projects.values()].sort((a, b) => (a.file < b.file ? -1 : 1)),
    of(config) {
      const found = projects.get(fileOf(config));
      if (found) return found;
      throw new LeafError("input", say`${path.basename(fileOf(config))} is not a config of this workspace.`, {
        file: fileOf(config),
        remedy: say`Open its folder, or make a config with LEAF: New Config.`,
      });
    },
    around(file) {
      const containing = [...projects.values()].filter((project) =>
        isInside(path.dirname(project.file), file),
      );
      return containing.sort((a, b) => path.dirname(b.file).length - path.dirname(a.file).length);
    },
    folders: () => roots,
    async discover(folders) {
      roots = folders;
      const found = new Set<string>();
      for (const folder of folders)
        for await (const file of fastGlob.stream(configGlob, {
          cwd: folder,
          ignore: ignored,
          deep: depth,
          absolute: true,
          // As editors search: a link to a folder above would show every config again, under another name.
          followSymbolicLinks: false,
          suppressErrors: true,
        }))
          found.add(path.normalize(String(file)));
      for (const [file, project] of projects) {
        if (found.has(file) || folders.some((folder) => isInside(folder, file))) continue;
        projects.delete(file);
        await project.close("released");
      }
      await Promise.all([...found].map((file) => add(file).refresh()));
    },
    async touch(file) {
      if (isConfigFile(file) && !file.includes(`${path.sep}.leaf${path.sep}`)) await add(file).refresh();
    },
    async remove(file) {
      const project = projects.get(file);
      if (!project) return;
      projects.delete(file);
      await project.close("released");
    },
    applySettings(next) {
      settings = next;
      for (const project of projects.values()) project.applySettings(next);
    },
    async close(mode) {
      await Promise.all([...projects.values()].map((project) => project.close(mode)));
      projects.clear();
    },
  };
}

export function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
}

/** Relative to the workspace folder it lies in; with the folder's name where there are several. */
function nameOf(file: string, roots: string[]): string {
  const root = roots.filter((one) => isInside(one, file)).sort((a, b) => b.length - a.length)[0];
  if (!root) return path.join(path.basename(path.dirname(file)), path.basename(file));
  const relative = path.relative(root, file).split(path.sep).join("/");
  return roots.length > 1 ? `${path.basename(root)}/${relative}` : relative;
}
