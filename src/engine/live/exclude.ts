import { readFile } from "node:fs/promises";
import { openIndex } from "../dataset.ts";
import { withFileErrors, writeFileAtomic } from "../files.ts";
import type { Project } from "../project.ts";
import { withExclusions } from "./configEdit.ts";
import { copiesOf } from "./copies.ts";

/**
 * Adds "!path" entries to `images:` of the config file, for the files and all their copies; comments stay. Returns how many
 * entries are new. Throws LeafError `config` for a config that cannot be read or edited.
 */
export async function excludeImages(project: Project, paths: readonly string[]): Promise<number> {
  const { configFile } = project;
  const text = await withFileErrors("read", configFile, () => readFile(configFile, "utf8"));
  const edited = withExclusions(text, configFile, withCopies(project, paths));
  if (edited.added > 0) await writeFileAtomic(configFile, edited.text);
  return edited.added;
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
