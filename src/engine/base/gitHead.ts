import { readFile } from "node:fs/promises";
import path from "node:path";

const commit = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/**
 * The commit that is checked out around a folder, read from git's files: the program itself would run what the folder's own
 * settings name (fsmonitor, hooks). Null outside of a repository.
 */
export async function gitHead(folder: string): Promise<string | null> {
  for (let dir = path.resolve(folder); ; dir = path.dirname(dir)) {
    const found = await headOf(path.join(dir, ".git"));
    if (found !== undefined) return found;
    if (dir === path.dirname(dir)) return null;
  }
}

/** Undefined where this is no repository. */
async function headOf(dotGit: string): Promise<string | null | undefined> {
  // A worktree's and a submodule's is a file that names the folder.
  const link = await lineOf(dotGit);
  const linked = link && /^gitdir: (.+)$/.exec(link)?.[1];
  const dir = linked ? path.resolve(path.dirname(dotGit), linked) : dotGit;
  const head = await lineOf(path.join(dir, "HEAD"));
  if (head === undefined) return undefined;
  if (commit.test(head)) return head;
  const ref = /^ref: (refs\/[^\0]+)$/.exec(head)?.[1];
  if (ref === undefined || ref.split("/").includes("..")) return null;
  const commonDir = await lineOf(path.join(dir, "commondir"));
  const common = commonDir === undefined ? dir : path.resolve(dir, commonDir);
  for (const place of new Set([dir, common])) {
    const value = await lineOf(path.join(place, ref));
    if (value && commit.test(value)) return value;
  }
  const packed = await textOf(path.join(common, "packed-refs"));
  const line = packed?.split("\n").find((one) => one.endsWith(` ${ref}`));
  const value = line?.slice(0, line.indexOf(" ")) ?? "";
  return commit.test(value) ? value : null;
}

async function lineOf(file: string): Promise<string | undefined> {
  const text = await textOf(file);
  return text === undefined ? undefined : text.split("\n", 1)[0]!.trim();
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch {
    return undefined;
  }
}
