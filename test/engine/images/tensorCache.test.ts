import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { decodeImage } from "../../../src/engine/images/decode.ts";
import {
  type CacheItem,
  encodingFor,
  openTensorCache,
  writeTensorCache,
} from "../../../src/engine/images/tensorCache.ts";
import { prepare, type StudentInput } from "../../../src/engine/images/views.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

const input: StudentInput = { resize: 24, crop: 16, views: 1 };

async function makeItems(dir: string, count: number): Promise<CacheItem[]> {
  const items: CacheItem[] = [];
  for (let i = 0; i < count; i++) {
    const file = path.join(dir, `${i}.png`);
    const bytes = await picture(30 + i, 40, i)
      .png()
      .toBuffer();
    writeFileSync(file, bytes);
    items.push({ path: file, hash: hashBytes(bytes) });
  }
  return items;
}

describe("tensor cache", () => {
  it("keeps the same pixels as lossless WebP, in fewer bytes", async () => {
    const dir = temporaryFolder();
    const items = await makeItems(dir, 6);
    const lost = { path: path.join(dir, "none.png"), hash: "0".repeat(32) };
    const all = [...items.slice(0, 3), lost, ...items.slice(3)];
    const wide = { ...input, resize: 300, crop: 200 };
    const [raw, webp] = [path.join(dir, "raw"), path.join(dir, "webp")];
    const written = await writeTensorCache(raw, all, wide);
    expect(await writeTensorCache(webp, all, wide, { encoding: "webp", concurrency: 3 })).toEqual(written);
    expect(readdirSync(webp).sort()).toEqual([
      "cache.json",
      "failed.json",
      "hashes.txt",
      "index.i64",
      "pixels.webp",
    ]);
    const [a, b] = [(await openTensorCache(raw))!, (await openTensorCache(webp))!];
    expect(b.rows).toBe(7);
    for (let row = 0; row < a.rows; row++) {
      expect(await b.hash(row)).toBe(await a.hash(row));
      const [theirs, ours] = [await a.picture(row), await b.picture(row)];
      expect([ours?.width, ours?.height]).toEqual([theirs?.width, theirs?.height]);
      expect(Buffer.compare(ours?.data ?? Buffer.of(), theirs?.data ?? Buffer.of())).toBe(0);
    }
    expect(await b.picture(3)).toBeUndefined();
    await a.close();
    await b.close();
    expect(statSync(path.join(webp, "pixels.webp")).size).toBeLessThan(
      statSync(path.join(raw, "pixels.u8")).size,
    );
    // Damaged, it is told and not shown.
    writeFileSync(
      path.join(webp, "pixels.webp"),
      Buffer.alloc(statSync(path.join(webp, "pixels.webp")).size),
    );
    const damaged = (await openTensorCache(webp))!;
    await expect(damaged.picture(0)).rejects.toThrow();
    await damaged.close();
  });

  it.each([
    ["auto", 10, 100, "raw"],
    ["auto", 49, 100, "raw"],
    ["auto", 51, 100, "webp"],
    ["auto", 590e9, 1000e9, "webp"],
    ["raw", 590e9, 1, "raw"],
    ["webp", 0, 100, "webp"],
  ] as const)("%s with %d bytes of pictures and %d free: %s", (wanted, raw, free, expected) => {
    expect(encodingFor(wanted, raw, free)).toBe(expected);
  });

  it("writes rows in input order, as the format says", async () => {
    const dir = temporaryFolder();
    const items = await makeItems(dir, 7);
    const cache = path.join(dir, "cache");
    const seen: number[] = [];
    const written = await writeTensorCache(cache, items, input, {
      concurrency: 3,
      total: 7,
      onProgress: ({ done }) => seen.push(done),
    });
    expect(written).toEqual({ rows: 7, failed: [] });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(readdirSync(cache).sort()).toEqual(["cache.json", "hashes.txt", "index.i64", "pixels.u8"]);
    expect(JSON.parse(readFileSync(path.join(cache, "cache.json"), "utf8"))).toEqual({
      v: 1,
      rows: 7,
      resize: 24,
      crop: 16,
    });
    expect(readFileSync(path.join(cache, "hashes.txt"), "ascii")).toBe(
      items.map(({ hash }) => `${hash}\n`).join(""),
    );
    const index = readFileSync(path.join(cache, "index.i64"));
    const pixels = readFileSync(path.join(cache, "pixels.u8"));
    let offset = 0;
    for (const [i, item] of items.entries()) {
      const expected = await prepare(await decodeImage(item.path), input);
      const row = [0, 8, 16].map((at) => Number(index.readBigInt64LE(i * 24 + at)));
      expect(row).toEqual([offset, expected.height, expected.width]);
      expect(pixels.subarray(offset, offset + expected.data.length).equals(expected.data)).toBe(true);
      offset += expected.data.length;
    }
    expect(pixels).toHaveLength(offset);
  });

  it("gives single rows back, and marks unreadable images", async () => {
    const dir = temporaryFolder();
    const items = await makeItems(dir, 4);
    writeFileSync(items[1]!.path, "not an image");
    items[1]!.hash = hashBytes(Buffer.from("not an image"));
    items[2]!.hash = "0".repeat(32);
    items.push({ path: path.join(dir, "gone.png"), hash: "1".repeat(32) });
    async function* stream() {
      yield* items;
    }
    const { rows, failed } = await writeTensorCache(path.join(dir, "cache"), stream(), input);
    expect(rows).toBe(5);
    expect(failed.map(({ hash }) => hash)).toEqual([items[1]!.hash, items[2]!.hash, items[4]!.hash]);
    expect(failed[0]!.reason).toMatch(/1\.png: not an image/);
    expect(failed[1]!.reason).toMatch(/2\.png: the file has changed/);
    expect(failed[2]!.reason).toMatch(/does not exist/);
    const reader = (await openTensorCache(path.join(dir, "cache")))!;
    expect(reader.rows).toBe(5);
    expect(await reader.hash(3)).toBe(items[3]!.hash);
    expect(await reader.picture(1)).toBeUndefined();
    const expected = await prepare(items[3]!.path, input);
    const got = (await reader.picture(3))!;
    expect([got.width, got.height]).toEqual([expected.width, expected.height]);
    expect(Buffer.from(got.data).equals(expected.data)).toBe(true);
    await reader.close();
  });

  it("is empty for no images", async () => {
    const dir = temporaryFolder();
    expect(await writeTensorCache(dir, [], input)).toEqual({ rows: 0, failed: [] });
    const reader = (await openTensorCache(dir))!;
    expect(reader.rows).toBe(0);
    await reader.close();
  });

  it("reads ahead no further than its concurrency", async () => {
    const dir = temporaryFolder();
    const items = await makeItems(dir, 12);
    let taken = 0;
    let finished = 0;
    let ahead = 0;
    function* counted() {
      for (const item of items) {
        taken += 1;
        ahead = Math.max(ahead, taken - finished);
        yield item;
      }
    }
    const onProgress = () => {
      finished += 1;
    };
    await writeTensorCache(path.join(dir, "cache"), counted(), input, { concurrency: 3, onProgress });
    expect(ahead).toBeLessThanOrEqual(4);
  });

  it("leaves nothing behind when cancelled, and keeps the old cache", async () => {
    const dir = temporaryFolder();
    const items = await makeItems(dir, 6);
    const cache = path.join(dir, "cache");
    await writeTensorCache(cache, items.slice(0, 2), input);
    const abort = new AbortController();
    const writing = writeTensorCache(cache, items, input, {
      concurrency: 1,
      signal: abort.signal,
      onProgress: ({ done }) => {
        if (done === 3) abort.abort();
      },
    });
    await expect(writing).rejects.toMatchObject({ code: "cancelled" });
    expect(readdirSync(cache)).toHaveLength(4);
    const reader = (await openTensorCache(cache))!;
    expect(reader.rows).toBe(2);
    await reader.close();
  });

  it("knows an unfinished cache", async () => {
    const dir = temporaryFolder();
    expect(await openTensorCache(dir)).toBeUndefined();
    writeFileSync(path.join(dir, "cache.json"), "{");
    expect(await openTensorCache(dir)).toBeUndefined();
    expect(existsSync(path.join(dir, "pixels.u8"))).toBe(false);
  });
});
