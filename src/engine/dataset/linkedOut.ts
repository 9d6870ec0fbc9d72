import { realpathSync } from "node:fs";
import path from "node:path";
import { isAtOrIn } from "./index/patterns.ts";

/**
 * Whether a link on the way to an image leads out of the project's folder. Such a file is never shown as it is, only as a picture
 * that was made of it: the page may show what lies in the workspace, and a link in there is no leave to show what does not.
 */
export function isLinkedOut(root: string, relative: string): boolean {
  try {
    const home = realpathSync.native(root);
    const real = realpathSync.native(path.join(root, relative));
    return real !== path.join(home, relative) && !isAtOrIn(real, home);
  } catch {
    return false; // Gone: there is nothing to show.
  }
}
