import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { armConfig, arms } from "./arms.ts";
import { csv, writeDemoWorkspace } from "./demoWorkspace.ts";
import type { DemoImage } from "./images.ts";

const here = import.meta.dirname;
export const workspace = path.join(here, "workspace");

/**
 * Makes demo/workspace anew: images, stand-in for MOS, configs. The folder opens in the editor afterwards. What LEAF has worked out
 * there stays: a demo that was stopped goes on.
 */
export async function makeWorkspace(
  onPhoto: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<DemoImage[]> {
  await mkdir(workspace, { recursive: true });
  for (const name of await readdir(workspace))
    if (name !== ".leaf") await rm(path.join(workspace, name), { recursive: true, force: true });
  await mkdir(path.join(workspace, "truth"));
  const images = await writeDemoWorkspace(workspace, onPhoto, signal);
  for (const kind of ["all", ...new Set(images.map((one) => one.distortion))])
    await writeFile(
      truthFile(kind),
      csv(
        ["image", "mos"],
        images
          .filter((one) => one.split === "test" && (kind === "all" || one.distortion === kind))
          .map(({ image, mos }) => [`images/${image}`, mos.toFixed(4)]),
      ),
    );
  await writeConfigs(0);
  return images;
}

/** The truth of the test images, or of those with one kind of distortion: what `leaf metrics` compares the teacher with. */
export function truthFile(kind: string): string {
  return path.join(workspace, "truth", `${kind}.csv`);
}

/** Writes every arm's config with this seed. */
export async function writeConfigs(seed: number): Promise<void> {
  // Two arms share leaf.yaml; the calibrated one, which comes later, names it.
  for (const arm of arms) await writeFile(path.join(workspace, arm.file), armConfig(arm, seed));
}
