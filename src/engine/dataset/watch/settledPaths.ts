import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { explainFileSystemError } from "../../base/errors.ts";
import { isMissing } from "../../base/files.ts";

export interface ChangeBatch {
  /** Absolute paths of files and folders that are there. */
  changed: string[];
  /** And of those that are gone. */
  removed: string[];
}

/** A file is taken for written once nothing was heard of it for so long. */
const quietMs = 150;
const tickMs = 50;
/** The longest that settled files wait for others of the same copy. */
const patienceMs = 400;
const perBatch = 5000;

/** Collects paths that something happens to, and tells them in batches once each has come to rest. */
export interface SettledPaths {
  touch(file: string): void;
  close(): void;
}

export function settledPaths(
  onBatch: (batch: ChangeBatch) => void,
  onError: (error: unknown) => void,
): SettledPaths {
  /** When each was touched last. */
  const restless = new Map<string, number>();
  let told = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function wait(): void {
    if (!closed && timer === undefined && restless.size > 0) timer = setTimeout(() => void tick(), tickMs);
  }

  async function tick(): Promise<void> {
    const now = performance.now();
    const settled: string[] = [];
    for (const [file, touched] of restless) {
      if (now - touched >= quietMs) settled.push(file);
      if (settled.length === perBatch) break;
    }
    const more = settled.length < restless.size;
    if (settled.length > 0 && (!more || now - told >= patienceMs)) {
      for (const file of settled) restless.delete(file);
      await tell(settled);
      told = performance.now();
    }
    timer = undefined;
    wait();
  }

  async function tell(files: string[]): Promise<void> {
    const found = await Promise.all(files.map((file) => statOf(file)));
    if (closed) return;
    // Of files the wall clock, of waiting one that nobody sets.
    const [now, today] = [performance.now(), Date.now()];
    const entries: { file: string; folder: boolean; gone: boolean }[] = [];
    for (const [i, file] of files.entries()) {
      const stats = found[i];
      const age = stats && !stats.isDirectory() ? today - stats.mtimeMs : quietMs;
      // Written to without a word from the file system; a clock that is ahead must not keep it for ever.
      if (age >= 0 && age < quietMs)
        restless.set(file, Math.max(restless.get(file) ?? Number.NEGATIVE_INFINITY, now - age));
      else entries.push({ file, folder: !stats || stats.isDirectory(), gone: !stats });
    }
    const tops = withoutNested(entries);
    if (tops.length === 0) return;
    try {
      onBatch({
        changed: tops.filter(({ gone }) => !gone).map(({ file }) => file),
        removed: tops.filter(({ gone }) => gone).map(({ file }) => file),
      });
    } catch (error) {
      onError(error);
    }
  }

  async function statOf(file: string): Promise<Stats | undefined> {
    try {
      return await stat(file);
    } catch (error) {
      if (!isMissing(error)) onError(explainFileSystemError(error, "read", file));
      return undefined;
    }
  }

  return {
    touch(file) {
      if (closed) return;
      restless.set(file, performance.now());
      wait();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      restless.clear();
    },
  };
}

/** A folder stands for all that is or was in it. */
function withoutNested<T extends { file: string; folder: boolean }>(entries: T[]): T[] {
  const folders = new Set(entries.filter(({ folder }) => folder).map(({ file }) => file));
  const isNested = (file: string): boolean => {
    for (let at = path.dirname(file); ; at = path.dirname(at)) {
      if (folders.has(at)) return true;
      if (path.dirname(at) === at) return false;
    }
  };
  return entries.filter(({ file }) => !isNested(file));
}
