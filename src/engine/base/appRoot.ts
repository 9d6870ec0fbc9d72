import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds `assets/` and `src/python/`: the repository, or the installed extension. */
export function appRoot(): string {
  let here = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(here, "src", "python", "requirements.txt"))) {
    const up = path.dirname(here);
    if (up === here) throw new Error("LEAF is not installed whole: src/python is missing.");
    here = up;
  }
  return here;
}
