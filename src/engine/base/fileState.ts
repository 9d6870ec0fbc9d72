import { statSync } from "node:fs";

export interface FileState {
  size: bigint;
  /** Any later write changes it; undefined right after one, since a second may leave the time of change as it is. */
  state: string | undefined;
}

/** Longer than the steps in which any file system tells the time of change. */
const restMs = 3000;

/** Tells whether a file is as it was, without reading it; undefined where there is none. */
export function fileState(file: string): FileState | undefined {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (!stats) return undefined;
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  const changed = Math.max(Number(stats.mtimeMs), Number(stats.ctimeMs));
  // A time to come is of a wrong clock: such a file is never old enough.
  const state = Date.now() - changed < restMs ? undefined : [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  return { size, state };
}
