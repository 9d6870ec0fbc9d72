import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { say } from "../../words/text.ts";
import { appRoot } from "../base/appRoot.ts";
import { LeafError } from "../base/errors.ts";
import { writeOutput } from "../base/outputs.ts";

const folder = () => path.join(appRoot(), "assets", "experiments");

/** Names of the experiments that ship with LEAF. */
export async function presetNames(): Promise<string[]> {
  const files = await readdir(folder());
  return files.flatMap((file) => (file.endsWith(".yaml") ? [file.slice(0, -".yaml".length)] : [])).sort();
}

export async function presetText(name: string): Promise<string> {
  return readFile(path.join(folder(), `${name}.yaml`), "utf8");
}

/**
 * Writes `<name>.experiment.yaml` into the folder of a base config. Throws LeafError `usage` for a name that does not ship
 * with LEAF, or if the file exists.
 */
export async function initExperiment(
  dir: string,
  name: string,
  { base = "leaf.yaml", force = false }: { base?: string; force?: boolean } = {},
): Promise<{ file: string; base: string }> {
  const names = await presetNames();
  if (!names.includes(name)) {
    throw new LeafError("usage", say`There is no experiment ${name} to start from.`, {
      remedy: say`Take one of ${names.join(", ")}.`,
    });
  }
  const file = path.join(path.resolve(dir), `${name}.experiment.yaml`);
  if (existsSync(file) && !force)
    throw new LeafError("usage", say`${file} exists already.`, {
      file,
      remedy: say`Edit it, or overwrite it with --force.`,
    });
  const text = (await presetText(name)).replace(/^base: .*$/m, () =>
    /^[\w.-]+$/.test(base) ? `base: ${base}` : `base: ${JSON.stringify(base)}`,
  );
  await writeOutput(file, text, { force });
  return { file, base };
}
