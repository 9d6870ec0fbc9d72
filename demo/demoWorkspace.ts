import path from "node:path";
import { appRoot } from "../src/engine/base/appRoot.ts";
import { checkOutputs, type OutputRules, writeOutput } from "../src/engine/base/outputs.ts";
import { armConfig, arms } from "./arms.ts";
import { type DemoImage, makeImages } from "./images.ts";

/** The demo's settings of the editor's first try: TGD, then CFT with 10 %. */
const first = arms.find((arm) => arm.file === "leaf.yaml" && arm.stage === "calibrate")!;

/**
 * Writes images, their stand-in for MOS and `leaf.yaml` into a folder; `rules`: over which files, by default any. Throws when the
 * signal is aborted.
 */
export async function writeDemoWorkspace(
  folder: string,
  onPhoto: (done: number, total: number) => void,
  signal: AbortSignal,
  rules: OutputRules = { force: true },
): Promise<DemoImage[]> {
  const [mos, config] = ["mos.csv", "leaf.yaml"].map((name) => path.join(folder, name)) as [string, string];
  await checkOutputs([mos, config], rules);
  const photos = path.join(appRoot(), "demo", "photos");
  const images = await makeImages(photos, path.join(folder, "images"), onPhoto, signal, rules);
  await writeOutput(mos, mosCsv(images), rules);
  await writeOutput(config, armConfig(first, 0), rules);
  return images;
}

export function mosCsv(images: DemoImage[]): string {
  return csv(
    ["image", "mos", "photo", "distortion", "split"],
    images.map(({ image, mos, photo, distortion, split }) => [
      image,
      mos.toFixed(4),
      photo,
      distortion,
      split,
    ]),
  );
}

export function csv(header: string[], rows: string[][]): string {
  return `${[header, ...rows].map((row) => row.join(",")).join("\n")}\n`;
}
