import { withExclusions } from "../config/edit.ts";
import { editConfigFile } from "../config/editFile.ts";
import type { Project } from "../config/project.ts";
import { copiesOf } from "./copies.ts";
import { openIndex } from "./dataset.ts";

/**
 * Adds "!path" entries to `images:` of the config file, for the files and all their copies; comments stay. Returns how many
 * entries are new. Throws LeafError `config` for a config that cannot be read or edited.
 */
export async function excludeImages(project: Project, paths: readonly string[]): Promise<number> {
  const { configFile } = project;
  const all = withCopies(project, paths);
  let added = 0;
  await editConfigFile(configFile, (text) => {
    const edited = withExclusions(text, configFile, all);
    added = edited.added;
    return edited.added > 0 ? edited.text : undefined;
  });
  return added;
}

/** One image under several paths would only show up under the next. */
function withCopies(project: Project, paths: readonly string[]): string[] {
  const index = openIndex(project.indexFile);
  try {
    return paths.flatMap((path) => {
      const hash = index.byPath(path)?.hash;
      return [path, ...(hash ? copiesOf(project.indexFile, hash) : [])];
    });
  } finally {
    index.close();
  }
}
