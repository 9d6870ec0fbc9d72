import type { Stats } from "node:fs";
import {
  type FileHandle,
  lstat,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import path from "node:path";
import { say } from "../../words/text.ts";
import { errnoCode, LeafError } from "./errors.ts";
import { temporaryName, withFileErrors } from "./files.ts";

type Content = string | Uint8Array;

/** Tries where another program writes to the file at the same time. */
const tries = 5;

/**
 * Changes a file of the user's: `change` gets its bytes and returns the new ones, or undefined to leave it as it is. A link
 * stays a link, and the file keeps its mode and owner. All or nothing: a crash leaves the old bytes or the new ones. What
 * another program writes meanwhile is not lost: `change` is asked again with it. Throws a LeafError `failed` for a file that
 * cannot be read or written.
 */
export async function editFile(
  file: string,
  change: (before: Buffer) => Content | undefined | Promise<Content | undefined>,
): Promise<void> {
  for (let attempt = 1; attempt <= tries; attempt++) {
    const target = await withFileErrors("read", file, () => realpath(file));
    const stats = await withFileErrors("read", file, () => stat(target));
    const before = await withFileErrors("read", file, () => readFile(target));
    const after = await change(before);
    if (after === undefined || Buffer.from(after).equals(before)) return;
    if (await withFileErrors("write", file, () => replace(target, after, stats))) return;
  }
  throw new LeafError("failed", say`Cannot write ${file}: another program writes to it all the time.`, {
    file,
    remedy: say`Save the file in the other program and try again.`,
  });
}

/** Where a file would be written: the end of its links, also where there is no file yet. */
export async function endOfLinks(file: string): Promise<string> {
  let at = path.resolve(file);
  for (let links = 0; links < 40; links++) {
    const found = await lstat(at).catch(() => undefined);
    if (!found?.isSymbolicLink()) return at;
    at = path.resolve(path.dirname(at), await readlink(at));
  }
  return at;
}

/** false if the file is another by now than `known`. */
async function replace(target: string, content: Content, known: Stats): Promise<boolean> {
  const temporary = temporaryName(target);
  let handle: FileHandle;
  try {
    handle = await open(temporary, "wx", 0o600);
  } catch (error) {
    // A folder that takes no new file may still hold one that can be written to.
    if (errnoCode(error) !== "EACCES" && errnoCode(error) !== "EPERM") throw error;
    return writeOver(target, content, known);
  }
  let keepCopy = false;
  try {
    let alike: boolean;
    try {
      await handle.writeFile(content);
      alike = await makeAlike(handle, known);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // A rename would give the file another owner, or part it from its other names.
    if (!alike || known.nlink > 1) {
      keepCopy = true;
      const written = await writeOver(target, content, known);
      keepCopy = false;
      if (written) await rm(temporary, { force: true });
      return written;
    }
    if (!isSame(await stat(target), known)) return false;
    await rename(temporary, target);
    return true;
  } finally {
    // Where writing over the file failed half-way, the copy holds what it should be.
    if (!keepCopy) await rm(temporary, { force: true });
  }
}

/** Gives a new file the owner and the mode of another; false if it may not have that owner. */
async function makeAlike(handle: FileHandle, { uid, gid, mode }: Stats): Promise<boolean> {
  if (process.platform === "win32") return true;
  const own = await handle.stat();
  if (own.uid !== uid || own.gid !== gid) {
    try {
      await handle.chown(uid, gid);
    } catch {
      return false;
    }
  }
  await handle.chmod(mode & 0o7777);
  return true;
}

async function writeOver(target: string, content: Content, known: Stats): Promise<boolean> {
  const handle = await open(target, "r+");
  try {
    if (!isSame(await handle.stat(), known)) return false;
    const bytes = Buffer.from(content);
    await handle.writeFile(bytes);
    await handle.truncate(bytes.length);
    await handle.sync();
    return true;
  } finally {
    await handle.close();
  }
}

function isSame(now: Stats, known: Stats): boolean {
  return (
    now.ino === known.ino &&
    now.dev === known.dev &&
    now.size === known.size &&
    now.mtimeMs === known.mtimeMs &&
    now.ctimeMs === known.ctimeMs
  );
}
