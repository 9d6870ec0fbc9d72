import { readdir, realpath } from "node:fs/promises";
import path from "node:path";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { hashFile } from "../base/files.ts";
import type { InputFile, OutputRules } from "../base/outputs.ts";
import { isInside, isSamePlace, type Place, placeOf } from "../base/sameFile.ts";
import type { Config } from "../config/config.ts";
import type { Project } from "../config/project.ts";
import { openIndex } from "../dataset/dataset.ts";
import { findImages, imageFolders } from "../dataset/index/find.ts";

/** What writing a file for the user of a project must keep: everything that the project reads. */
export async function outputRules(
  project: Project,
  { force, remedy, also = [] }: { force?: boolean; remedy?: Text; also?: readonly InputFile[] } = {},
): Promise<OutputRules> {
  return {
    force,
    remedy,
    registry: path.join(project.leaf, "outputs.json"),
    inputs: [...(await inputFiles(project)), ...also],
    inputAt: (place) => otherInput(project, place),
  };
}

/** What a file is to a project that reads it; undefined for any other. */
export async function inputOf(project: Project, file: string): Promise<Text | undefined> {
  const place = await placeOf(file);
  for (const input of await inputFiles(project))
    if (isSamePlace(place, await placeOf(input.file))) return input.what;
  return otherInput(project, place);
}

/** Files that the config names, and the configs and experiments beside it. */
async function inputFiles({ root, configFile, config }: Project): Promise<InputFile[]> {
  const { mos, split, evaluate } = config;
  const named: [string | undefined, Text][] = [
    [mos?.file, say`the file of human scores (\`mos.file\`)`],
    [split.file, say`the file of the split (\`split.file\`)`],
    ...(evaluate.datasets ?? []).map(({ name, mos }): [string, Text] => [
      mos.file,
      say`the file of human scores of the dataset ${name}`,
    ]),
  ];
  const beside = await readdir(root).catch(() => []);
  return [
    { file: configFile, what: say`the config` },
    ...named.flatMap(([file, what]) =>
      file === undefined ? [] : [{ file: path.resolve(root, file), what }],
    ),
    ...beside.filter(isConfigName).map((name) => ({ file: path.join(root, name), what: say`a config` })),
  ];
}

function isConfigName(name: string): boolean {
  return /^leaf\.ya?ml$|\.leaf\.ya?ml$|\.experiment\.ya?ml$/i.test(name);
}

async function otherInput(project: Project, place: Place): Promise<Text | undefined> {
  if (place.stats && isInside(place, await placeOf(project.leaf))) return say`a file of LEAF's own`;
  if (!place.stats) return undefined;
  return (await isImage(project, place)) ? say`an image of this project` : undefined;
}

/** By its place, as the config names images; by its bytes, as another name of an image that LEAF has read. */
async function isImage({ root, config, indexFile }: Project, { path: file }: Place): Promise<boolean> {
  for (const images of imagesOf(config))
    for (const name of await namesOf(file, root, images))
      for await (const _ of findImages(root, images, { only: [name] })) return true;
  try {
    const index = openIndex(indexFile);
    try {
      return index.byHash((await hashFile(file)).hash) !== undefined;
    } finally {
      index.close();
    }
  } catch {
    return false; // Nothing has been read yet.
  }
}

/** A file as it is called below the folders of images, which may be links. */
async function namesOf(file: string, root: string, images: string | string[]): Promise<string[]> {
  const names: string[] = [];
  for (const folder of imageFolders(root, images)) {
    const real = await realpath(folder).catch(() => folder);
    const below = path.relative(real, file);
    if (!below.startsWith("..") && !path.isAbsolute(below)) names.push(path.join(folder, below));
  }
  return names;
}

function imagesOf({ images, evaluate }: Config): (string | string[])[] {
  return [images, ...(evaluate.datasets ?? []).map((one) => one.images)];
}
