import { existsSync } from "node:fs";
import path from "node:path";
import { writeDemoWorkspace } from "../../demo/demoWorkspace.ts";
import { LeafError, throwIfCancelled } from "../engine/base/errors.ts";
import { say } from "../words/text.ts";
import type { CliContext } from "./context.ts";

/** `leaf init --demo`: the demonstration's images, scores and config in a folder of the user's. */
export async function initDemo(
  folder: string,
  force: boolean,
  { signal, onProgress }: CliContext,
): Promise<{ file: string; images: number }> {
  const file = path.resolve(folder, "leaf.yaml");
  if (existsSync(file) && !force) {
    throw new LeafError("usage", say`${file} exists already.`, {
      file,
      remedy: say`Name a new folder, or overwrite it with --force.`,
    });
  }
  try {
    const made = await writeDemoWorkspace(
      path.dirname(file),
      (done, total) => onProgress({ stage: "index", step: "making images", done, total, unit: "photos" }),
      signal,
      { force },
    );
    return { file, images: made.length };
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  }
}
