import { opendir, readdir } from "node:fs/promises";
import path from "node:path";
import type { Project } from "../engine/config/project.ts";
import { watchFiles } from "../engine/dataset/watch/watchFiles.ts";

/** Other configs and experiments beside a config that are watched. */
const mostNeighbours = 200;
/** A folder of very many files is not read to its end for them. */
const mostEntries = 5000;
/** Runs are made at the end; older ones do not change. */
const newestRuns = 20;

export interface ProjectInputs {
  /** Before a config can be read nothing but itself is watched. What happens after it has resolved is told. */
  watch(configFile: string, project: Project | undefined, usePolling: boolean): Promise<void>;
  close(): void;
}

/**
 * Watches what the state of a project depends on beside its images: the config, the files it names, and runs made by `leaf`
 * elsewhere; `onNeighbours` is for experiments and their bases, which lie beside it.
 */
export function projectInputs(onChanged: () => void, onNeighbours: () => void): ProjectInputs {
  let own: string[] = [];
  let neighbours = async (): Promise<string[]> => [];
  let usePolling = false;
  const set = async () => watcher.set([...new Set([...own, ...(await neighbours())])], { usePolling });
  const watcher = watchFiles((files) => {
    if (files.some((file) => own.includes(file))) return onChanged();
    // Others may have come beside it.
    void set();
    onNeighbours();
  });
  return {
    async watch(configFile, project, polling) {
      own = project ? await filesOf(project) : [configFile];
      neighbours = () => neighboursOf(configFile);
      usePolling = polling;
      await set();
    },
    close: watcher.close,
  };
}

async function filesOf({ config, root, configFile, runs }: Project): Promise<string[]> {
  const named = [
    config.mos?.file,
    config.split.file,
    config.python.interpreter,
    ...(config.evaluate.datasets ?? []).map(({ mos }) => mos.file),
  ];
  const ids = (await readdir(runs).catch(() => []))
    .sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)))
    .slice(0, newestRuns);
  return [
    configFile,
    ...named.flatMap((file) => (file ? [path.resolve(root, file)] : [])),
    runs,
    ...ids.map((id) => path.join(runs, id, "run.json")),
  ];
}

/** YAML files beside the config, and its folder, where others may come. */
async function neighboursOf(configFile: string): Promise<string[]> {
  const folder = path.dirname(configFile);
  const found = [folder];
  let entries = 0;
  try {
    for await (const { name } of await opendir(folder, { bufferSize: 512 })) {
      if (/\.ya?ml$/.test(name)) found.push(path.join(folder, name));
      if (++entries === mostEntries || found.length > mostNeighbours) break;
    }
  } catch {
    // The folder is gone: then so is the config, which is watched.
  }
  return found;
}
