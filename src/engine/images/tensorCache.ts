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
import { sharp } from "./sharp.ts";
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
  encoding?: CacheEncoding;
}

/** `raw`: pictures as they are. `webp`: each as a lossless WebP, the same pixels in less than half of the bytes. */
export type CacheEncoding = "raw" | "webp";

/** A raw cache is as fast as there is; what is left of the disk is for checkpoints and whatever else runs. */
const mostOfFree = 0.5;

export function encodingFor(
  wanted: CacheEncoding | "auto",
  rawBytes: number,
  freeBytes: number,
): CacheEncoding {
  if (wanted !== "auto") return wanted;
  return rawBytes > mostOfFree * freeBytes ? "webp" : "raw";
}

const hashLineBytes = 33;
const partsOf = (encoding: CacheEncoding) =>
  ({
    pixels: encoding === "raw" ? "pixels.u8" : "pixels.webp",
    index: "index.i64",
    hashes: "hashes.txt",
  }) as const;
/** Numbers of a row of the index; a WebP's length comes last. */
const columnsOf = (encoding: CacheEncoding) => (encoding === "raw" ? 3 : 4);
/** The quickest: more takes three times as long for a tenth of the bytes. */
const webpEffort = 0;
const about = "cache.json";
/** The images that could not be decoded, as CacheFailures. */
const failedFile = "failed.json";

/**
 * Decodes and prepares images into a folder that Python maps into memory: `pixels.u8` (HWC uint8 pictures, one after another),
 * `index.i64` (little-endian int64 rows [offset, height, width]), `hashes.txt` (one hash a line, same order), `cache.json`.
 * As WebP the pictures are in `pixels.webp`, and a row is [offset, height, width, bytes].
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
  const { encoding = "raw" } = options;
  const parts = partsOf(encoding);
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
        (item) => preparedItem(item, input, encoding, options.maxPixels),
        signal,
      );
      for await (const { item, picture, bytes, reason, lasting } of prepared) {
        const row = Buffer.alloc(8 * columnsOf(encoding));
        row.writeBigInt64LE(BigInt(offset), 0);
        if (picture && bytes) {
          row.writeBigInt64LE(BigInt(picture.height), 8);
          row.writeBigInt64LE(BigInt(picture.width), 16);
          if (encoding === "webp") row.writeBigInt64LE(BigInt(bytes.length), 24);
          await writeAll(pixels, bytes);
          offset += bytes.length;
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
      await writeJson(path.join(dir, about), {
        ...(encoding === "raw" ? { v: 1 } : { v: 2, encoding }),
        rows,
        resize,
        crop,
        ...(passing > 0 && { passing }),
      });
      return { rows, failed };
    } catch (error) {
      for (const file of files) await file.close().catch(() => {});
      for (const file of temporary) await rm(file, { force: true });
      throw error;
    }
  });
}

type Prepared = {
  item: CacheItem;
  picture?: Omit<RgbImage, "data">;
  /** As they are written. */
  bytes?: Uint8Array;
  reason: string;
  lasting: boolean;
};

async function preparedItem(
  item: CacheItem,
  input: StudentInput,
  encoding: CacheEncoding,
  maxPixels?: number,
): Promise<Prepared> {
  try {
    const { data, width, height } = await preparedImage(item, input, { maxPixels });
    const bytes = encoding === "raw" ? data : await asWebp({ data, width, height });
    return { item, picture: { width, height }, bytes, reason: "", lasting: true };
  } catch (error) {
    // A file that cannot be read or decoded is a row of its own; a bug is not.
    if (!(error instanceof LeafError) || isCancelled(error)) throw error;
    return { item, reason: error.message, lasting: error instanceof UndecodableImage };
  }
}

function asWebp({ data, width, height }: RgbImage): Promise<Buffer> {
  const raw = { width, height, channels: 3 } as const;
  return sharp(data, { raw, limitInputPixels: false })
    .webp({ lossless: true, effort: webpEffort })
    .toBuffer();
}

/** `FileHandle.write` may write less than asked, as on a disk that is filling up. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}

const side = z.int().min(1).max(4096);
const aboutSchema = z.looseObject({
  v: z.literal([1, 2]),
  encoding: z.enum(["raw", "webp"]).default("raw"),
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
      for (const name of Object.values(partsOf(json.encoding)))
        opened.push(await open(path.join(dir, name), "r"));
      const [pixels, index, hashes] = opened as [FileHandle, FileHandle, FileHandle];
      const rowBytes = 8 * columnsOf(json.encoding);
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
          const at = (column: number) => Number(entry.readBigInt64LE(8 * column));
          const [offset, height, width] = [at(0), at(1), at(2)];
          if (height === 0) return undefined;
          const length = json.encoding === "raw" ? width * height * 3 : at(3);
          if (!(offset >= 0 && height > 0 && width > 0 && length > 0 && offset + length <= pixelBytes))
            throw isDamaged();
          const data = await bytesAt(pixels, offset, length);
          if (json.encoding === "raw") return { width, height, data };
          const decoded = await sharp(data).raw().toBuffer({ resolveWithObject: true });
          const { info } = decoded;
          if (info.width !== width || info.height !== height || info.channels !== 3) throw isDamaged();
          return { width, height, data: decoded.data };
        },
        close,
      };
    } catch (error) {
      await close();
      throw error;
    }
  });
}
