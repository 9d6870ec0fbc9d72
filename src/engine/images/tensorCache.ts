import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import * as z from "zod";
import type { Progress, ProgressSink } from "../../protocol/progress.ts";
import { imageHash, text } from "../../protocol/schema/common.ts";
import { say } from "../../words/text.ts";
import { isCancelled, LeafError } from "../base/errors.ts";
import { temporaryName, withFileErrors, writeJson } from "../base/files.ts";
import { readJsonAs } from "../base/json.ts";
import { mapOrdered } from "../base/pool.ts";
import { type RgbImage, UndecodableImage } from "./decode.ts";
import { preparedImage } from "./prepared.ts";
import type { StudentInput } from "./views.ts";

export interface CacheItem {
  hash: string;
  /** Absolute, or relative to the working folder. */
  path: string;
}

export interface CacheFailure extends CacheItem {
  reason: string;
  /** Trying again is of no use as long as the bytes are the same. */
  lasting: boolean;
}

export interface TensorCacheOptions {
  /** Images decoded at a time; see pixelBytes for their memory. */
  concurrency?: number;
  onProgress?: ProgressSink;
  /** What to report progress as. */
  stage?: Progress["stage"];
  total?: number;
  signal?: AbortSignal;
  maxPixels?: number;
}

const rowBytes = 24;
const hashLineBytes = 33;
const parts = { pixels: "pixels.u8", index: "index.i64", hashes: "hashes.txt" } as const;
const about = "cache.json";
/** The images that could not be decoded, as CacheFailures. */
const failedFile = "failed.json";

/**
 * Decodes and prepares images into a folder that Python maps into memory: `pixels.u8` (HWC uint8 pictures, one after another),
 * `index.i64` (little-endian int64 rows [offset, height, width]), `hashes.txt` (one hash a line, same order), `cache.json`.
 * Rows are in input order; an unreadable image has height 0 and is returned in `failed`. `cache.json` comes last: without it
 * there is no cache.
 */
export async function writeTensorCache(
  dir: string,
  items: Iterable<CacheItem> | AsyncIterable<CacheItem>,
  input: StudentInput,
  options: TensorCacheOptions = {},
): Promise<{ rows: number; failed: CacheFailure[] }> {
  const { concurrency = Math.max(1, os.availableParallelism()), onProgress, signal } = options;
  return withFileErrors("write", dir, async () => {
    await mkdir(dir, { recursive: true });
    const temporary = Object.values(parts).map((name) => temporaryName(path.join(dir, name)));
    const files: FileHandle[] = [];
    try {
      for (const file of temporary) files.push(await open(file, "wx"));
      const [pixels, index, hashes] = files as [FileHandle, FileHandle, FileHandle];
      const failed: CacheFailure[] = [];
      let rows = 0;
      let offset = 0;
      const prepared = mapOrdered(
        items,
        concurrency,
        (item) => preparedItem(item, input, options.maxPixels),
        signal,
      );
      for await (const { item, picture, reason, lasting } of prepared) {
        const row = Buffer.alloc(rowBytes);
        row.writeBigInt64LE(BigInt(offset), 0);
        if (picture) {
          row.writeBigInt64LE(BigInt(picture.height), 8);
          row.writeBigInt64LE(BigInt(picture.width), 16);
          await writeAll(pixels, picture.data);
          offset += picture.data.length;
        } else {
          failed.push({ ...item, reason, lasting });
        }
        await writeAll(index, row);
        await writeAll(hashes, Buffer.from(`${item.hash}\n`, "ascii"));
        rows += 1;
        onProgress?.({
          stage: options.stage ?? "distill",
          step: "decode",
          done: rows,
          total: options.total,
          unit: "images",
        });
      }
      for (const file of files) {
        await file.sync();
        await file.close();
      }
      await rm(path.join(dir, about), { force: true });
      for (const [i, name] of Object.values(parts).entries())
        await rename(temporary[i]!, path.join(dir, name));
      if (failed.length > 0) await writeJson(path.join(dir, failedFile), failed);
      else await rm(path.join(dir, failedFile), { force: true });
      const passing = failed.filter((one) => !one.lasting).length;
      const { resize, crop } = input;
      await writeJson(path.join(dir, about), { v: 1, rows, resize, crop, ...(passing > 0 && { passing }) });
      return { rows, failed };
    } catch (error) {
      for (const file of files) await file.close().catch(() => {});
      for (const file of temporary) await rm(file, { force: true });
      throw error;
    }
  });
}

type Prepared = { item: CacheItem; picture?: RgbImage; reason: string; lasting: boolean };

async function preparedItem(item: CacheItem, input: StudentInput, maxPixels?: number): Promise<Prepared> {
  try {
    const picture = await preparedImage(item, input, { maxPixels });
    return { item, picture, reason: "", lasting: true };
  } catch (error) {
    // A file that cannot be read or decoded is a row of its own; a bug is not.
    if (!(error instanceof LeafError) || isCancelled(error)) throw error;
    return { item, reason: error.message, lasting: error instanceof UndecodableImage };
  }
}

/** `FileHandle.write` may write less than asked, as on a disk that is filling up. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}

const side = z.int().min(1).max(4096);
const aboutSchema = z.looseObject({
  v: z.literal(1),
  rows: z
    .int()
    .min(0)
    .max(2 ** 40),
  resize: side.nullable(),
  crop: side,
  passing: z.int().min(0).optional(),
});
const failuresSchema = z.array(
  z.object({ hash: imageHash, path: z.string(), reason: text, lasting: z.boolean().default(true) }),
);

/** The images that a finished cache lacks; those of a cache of an older LEAF are not known. */
export async function cacheFailures(dir: string): Promise<CacheFailure[]> {
  return (await readJsonAs(path.join(dir, failedFile), failuresSchema)) ?? [];
}

export interface TensorCacheReader {
  rows: number;
  input: Pick<StudentInput, "resize" | "crop">;
  /** Unreadable rows that may be readable the next time: their files changed, or were gone. */
  passing: number;
  hash(row: number): Promise<string>;
  /** The cached picture; undefined for an unreadable image. */
  picture(row: number): Promise<RgbImage | undefined>;
  close(): Promise<void>;
}

/** Opens a cache; undefined if there is none or it was not finished. Only the row asked for is read. */
export async function openTensorCache(dir: string): Promise<TensorCacheReader | undefined> {
  const json = await readJsonAs(path.join(dir, about), aboutSchema);
  if (!json) return undefined;
  const opened: FileHandle[] = [];
  const close = async () => {
    for (const file of opened) await file.close();
  };
  return withFileErrors("read", dir, async () => {
    try {
      for (const name of Object.values(parts)) opened.push(await open(path.join(dir, name), "r"));
      const [pixels, index, hashes] = opened as [FileHandle, FileHandle, FileHandle];
      if ((await index.stat()).size !== json.rows * rowBytes) {
        await close();
        return undefined;
      }
      const isDamaged = () =>
        new LeafError("failed", say`The tensor cache ${dir} is damaged.`, {
          file: dir,
          remedy: say`Delete .leaf/cache and run the stage again.`,
        });
      const pixelBytes = (await pixels.stat()).size;
      const bytesAt = async (file: FileHandle, at: number, length: number): Promise<Buffer> => {
        const bytes = Buffer.alloc(length);
        for (let done = 0; done < length; ) {
          const { bytesRead } = await file.read(bytes, done, length - done, at + done);
          if (bytesRead === 0) throw isDamaged();
          done += bytesRead;
        }
        return bytes;
      };
      return {
        rows: json.rows,
        input: { resize: json.resize, crop: json.crop },
        passing: json.passing ?? 0,
        async hash(row: number) {
          return (await bytesAt(hashes, row * hashLineBytes, 32)).toString("ascii");
        },
        async picture(row: number) {
          const entry = await bytesAt(index, row * rowBytes, rowBytes);
          const [offset, height, width] = [0, 8, 16].map((at) => Number(entry.readBigInt64LE(at))) as [
            number,
            number,
            number,
          ];
          if (height === 0) return undefined;
          const length = width * height * 3;
          if (!(offset >= 0 && height > 0 && width > 0 && offset + length <= pixelBytes)) throw isDamaged();
          return { width, height, data: await bytesAt(pixels, offset, length) };
        },
        close,
      };
    } catch (error) {
      await close();
      throw error;
    }
  });
}
