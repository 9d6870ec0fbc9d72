import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { appRoot } from "../src/engine/appRoot.ts";
import { armConfig, arms } from "./arms.ts";
import { type DemoImage, makeImages } from "./images.ts";

/** The demo's settings of the editor's first try: TGD, then CFT with 10 %. */
const first = arms.find((arm) => arm.file === "leaf.yaml" && arm.stage === "calibrate")!;

/** Writes images, their stand-in for MOS and `leaf.yaml` into a folder. Throws when the signal is aborted. */
export async function writeDemoWorkspace(
  folder: string,
  onPhoto: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<DemoImage[]> {
  await mkdir(folder, { recursive: true });
  const photos = path.join(appRoot(), "demo", "photos");
  const images = await makeImages(photos, path.join(folder, "images"), onPhoto, signal);
  await writeFile(path.join(folder, "mos.csv"), mosCsv(images));
  await writeFile(path.join(folder, "leaf.yaml"), armConfig(first, 0));
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
