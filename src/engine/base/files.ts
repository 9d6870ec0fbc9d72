import { createHash, hash, randomBytes, webcrypto } from "node:crypto";
import { closeSync, constants, existsSync, openSync, readSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { explainFileSystemError, type FileDeed, throwIfCancelled } from "./errors.ts";

/** Runs a file operation; a full disk, a missing file and the like become a LeafError with a remedy. */
export async function withFileErrors<T>(doing: FileDeed, file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainFileSystemError(error, doing, file);
  }
}

/** A name beside `file` that no other writer uses. A crash may leave one behind: readers only ever open the real name. */
export function temporaryName(file: string): string {
  return path.join(
    path.dirname(file),
    `.${path.basename(file)}.${process.pid}.${randomBytes(6).toString("hex")}.tmp`,
  );
}

export function isTemporaryName(file: string): boolean {
  return /^\..+\.\d+\.[0-9a-f]{12}\.tmp$/.test(path.basename(file));
}

/** Makes a folder and those above it. */
export async function ensureDir(dir: string): Promise<void> {
  await withFileErrors("create", dir, () => mkdir(dir, { recursive: true }));
}

/**
 * Writes the whole file or nothing: temporary name in the same folder, fsync, rename. Makes the folder if needed.
 * With `unlessExists` a file that is there is left as it is.
 */
export async function writeFileAtomic(
  file: string,
  data: string | Uint8Array,
  { unlessExists = false }: { unlessExists?: boolean } = {},
): Promise<void> {
  if (unlessExists && existsSync(file)) return;
  const temporary = temporaryName(file);
  await withFileErrors("write", file, async () => {
    await mkdir(path.dirname(file), { recursive: true });
    try {
      const handle = await open(temporary, "wx");
      try {
        await handle.writeFile(data);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

export async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/** An image's identity: the first 32 hex digits (128 bit) of the SHA-256 of its bytes. */
export function hashBytes(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex").slice(0, 32);
}

/** The same by another thread. */
export async function hashAside(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest("SHA-256", bytes)).toString("hex", 0, 16);
}

/** All bytes of a file of about so many, without a pause; undefined where it has more by now. Throws Node's own file errors. */
export function readSmallFile(file: string, size: number): Buffer | undefined {
  // What took the file's place may be a pipe that nobody writes to.
  const handle = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    // Room for one more tells of a file that has grown.
    const bytes = Buffer.allocUnsafe(size + 1);
    let [length, read] = [0, 1];
    while (length < size && read > 0) {
      read = readSync(handle, bytes, length, bytes.length - length, null);
      length += read;
    }
    return length <= size ? bytes.subarray(0, length) : undefined;
  } finally {
    closeSync(handle);
  }
}

/** `hashBytes` of a file of any size, read in pieces; also its first `head` and last `tail` bytes. Throws Node's own file errors. */
export async function hashFile(
  file: string,
  { head = 0, tail = 0, signal }: { head?: number; tail?: number; signal?: AbortSignal } = {},
): Promise<{ hash: string; head: Buffer; tail: Buffer }> {
  const handle = await open(file, "r");
  try {
    return await hashHandle(handle, head, tail, signal);
  } finally {
    await handle.close();
  }
}

const pieceBytes = 256 * 1024;
/** Read buffers are reused: fresh ones would pile up outside the JavaScript heap until a late collection. */
const spare: Buffer[] = [];

async function hashHandle(handle: FileHandle, headBytes: number, tailBytes: number, signal?: AbortSignal) {
  const digest = createHash("sha256");
  const piece = spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
  const heads: Buffer[] = [];
  let wanted = headBytes;
  let tail = Buffer.alloc(0);
  try {
    for (;;) {
      throwIfCancelled(signal);
      const { bytesRead } = await handle.read(piece, 0, piece.length, null);
      if (bytesRead === 0) break;
      const read = piece.subarray(0, bytesRead);
      digest.update(read);
      if (tailBytes > 0) {
        const kept = tail.subarray(Math.max(0, tail.length + bytesRead - tailBytes));
        tail = Buffer.concat([kept, read.subarray(-tailBytes)]);
      }
      if (wanted > 0) {
        heads.push(Buffer.from(piece.subarray(0, Math.min(wanted, bytesRead))));
        wanted -= Math.min(wanted, bytesRead);
      }
    }
  } finally {
    if (spare.length < 16) spare.push(piece);
  }
  return {
    hash: digest.digest("hex").slice(0, 32),
    head: heads.length === 1 ? heads[0]! : Buffer.concat(heads),
    tail,
  };
}
