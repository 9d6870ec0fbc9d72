import { homedir } from "node:os";
import path from "node:path";

/** LEAF's own folder of a user: the Python environment and what the user has approved. LEAF_HOME moves it. */
export function leafHome(): string {
  const share = process.env.XDG_DATA_HOME ?? path.join(homedir(), ".local", "share");
  return path.resolve(process.env.LEAF_HOME ?? path.join(share, "leaf"));
}
