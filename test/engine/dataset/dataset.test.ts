import fs, { mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import {
  hashBytes,
  hashFile,
  isTemporaryName,
  temporaryName,
  writeJson,
} from "../../../src/engine/base/files.ts";
import { readJsonAs } from "../../../src/engine/base/json.ts";
import { type DatasetSummary, indexDataset, openIndex } from "../../../src/engine/dataset/dataset.ts";
import { openForReading, openForScan } from "../../../src/engine/dataset/index/file.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

interface Project {
  root: string;
  indexFile: string;
  put(file: string, bytes: Buffer | string): string;
  scan(images?: string | string[], signal?: AbortSignal): Promise<DatasetSummary>;
  paths(): string[];
}

function project(): Project {
  const root = temporaryFolder();
  const indexFile = path.join(root, ".leaf", "cache", "index.sqlite");
  return {
    root,
    indexFile,
    put(file, bytes) {
      const absolute = path.join(root, file);
      mkdirSync(path.dirname(absolute), { recursive: true });
      writeFileSync(absolute, bytes);
      return absolute;
    },
    scan: (images = "photos", signal) => indexDataset({ root, images, indexFile, signal }),
    paths() {
      const index = openIndex(indexFile);
      try {
        const images = [...index.iterate()];
        expect([...index.names()]).toEqual(images.map(({ hash, path }) => [hash, path]));
        return images.map((image) => image.path);
      } finally {
        index.close();
      }
    },
  };
}

const png = (seed: number) => picture(20, 10, seed).png().toBuffer();

describe("indexDataset", () => {
  it("reads each file once and then no more", async () => {
    const { put, scan, indexFile } = project();
    const bytes = await png(1);
    const file = put("photos/b/one.png", bytes);
    put("photos/a.JPG", await picture(20, 10, 2).withMetadata({ orientation: 6 }).jpeg().toBuffer());
    put("photos/readme.txt", "text");
    const cold = await scan();
    expect(cold).toEqual({ files: 2, images: 2, failed: 0, duplicates: 0, misnamed: 0, read: 2, removed: 0 });
    expect((await scan()).read).toBe(0);
    const index = openIndex(indexFile);
    expect(index.count()).toBe(2);
    const [a, b] = [...index.iterate()];
    expect(a).toMatchObject({
      path: "photos/a.JPG",
      format: "jpeg",
      width: 10,
      height: 20,
      error: null,
      note: null,
    });
    expect(b).toMatchObject({ path: "photos/b/one.png", hash: hashBytes(bytes), size: bytes.length });
    expect(b!.mtimeMs).toBe(statSync(file).mtimeMs);
    expect(index.byHash(hashBytes(bytes))?.path).toBe("photos/b/one.png");
    expect(index.byHash("f".repeat(32))).toBeUndefined();
    expect(index.byPath("photos/a.JPG")?.format).toBe("jpeg");
    index.close();
  });

  it("writes nothing where nothing has changed, and looks at each file once", async () => {
    const { root, put, scan, indexFile } = project();
    for (let i = 0; i < 40; i++) put(`photos/${i % 3}/${i}.png`, await png(i));
    await scan();
    // Another connection: its number changes with whatever is written.
    const other = openForReading(indexFile);
    const version = () => other.prepare("PRAGMA data_version").get()!.data_version;
    const before = version();
    const look = vi.spyOn(fs, "statSync");
    const read = vi.spyOn(fs, "readSync");
    syncBuiltinESMExports();
    try {
      expect(await scan()).toMatchObject({ files: 40, read: 0, removed: 0 });
      const looked = look.mock.calls.map(([file]) => String(file)).filter((file) => file.endsWith(".png"));
      expect([looked.length, new Set(looked).size, read.mock.calls.length]).toEqual([40, 40, 0]);
      expect(version()).toBe(before);
      rmSync(path.join(root, "photos/0/0.png"));
      put("photos/new.png", await png(99));
      expect(await scan()).toMatchObject({ files: 40, read: 1, removed: 1 });
      expect(version()).not.toBe(before);
    } finally {
      vi.restoreAllMocks();
      syncBuiltinESMExports();
      other.close();
    }
  });

  it("counts usable images by their bytes, whatever else has them", async () => {
    const { put, scan, indexFile } = project();
    for (const file of ["a", "b", "c"]) put(`photos/${file}.png`, await png(1));
    put("photos/d.png", await png(2));
    for (const file of ["e", "f"]) put(`photos/${file}.png`, Buffer.from("no picture"));
    await scan();
    // As where one copy could not be read: the others stand for it.
    const db = openForScan(indexFile);
    db.exec("UPDATE files SET error = 'gone' WHERE path = 'photos/a.png' OR path = 'photos/d.png'");
    db.close();
    expect(await scan()).toMatchObject({ files: 6, images: 1, failed: 4, duplicates: 1 });
  });

  it("follows changes: new, changed, moved and deleted files", async () => {
    const { root, put, scan, paths } = project();
    const file = put("photos/one.png", await png(1));
    put("photos/two.png", await png(2));
    await scan();
    put("photos/one.png", await png(3));
    utimesSync(file, new Date(), new Date(Date.now() + 5000));
    put("photos/three.png", await png(4));
    renameSync(path.join(root, "photos/two.png"), path.join(root, "photos/moved.png"));
    expect(await scan()).toMatchObject({ files: 3, images: 3, read: 3, removed: 1 });
    expect(paths()).toEqual(["photos/moved.png", "photos/one.png", "photos/three.png"]);
    rmSync(path.join(root, "photos"), { recursive: true });
    mkdirSync(path.join(root, "photos"));
    expect(await scan()).toMatchObject({ files: 0, images: 0, removed: 3 });
  });

  it("tells unusable files, misnamed ones and copies", async () => {
    const { put, scan, indexFile, paths } = project();
    const bytes = await png(1);
    put("photos/a.png", bytes);
    put("photos/b/copy.png", bytes);
    put("photos/c.png", await picture().jpeg().toBuffer());
    put("photos/empty.jpg", "");
    put("photos/text.png", "hello");
    expect(await scan()).toMatchObject({ files: 5, images: 2, failed: 2, duplicates: 1, misnamed: 1 });
    expect(paths()).toEqual(["photos/a.png", "photos/c.png"]);
    const index = openIndex(indexFile);
    expect([...index.failed()].map(({ path: file, error }) => [file, error])).toEqual([
      ["photos/empty.jpg", "the file is empty"],
      ["photos/text.png", "not an image of a known format"],
    ]);
    expect([...index.notes()].map(({ note }) => note)).toEqual(["named .png, is JPEG"]);
    expect([...index.duplicates()]).toEqual([
      { path: "photos/b/copy.png", first: "photos/a.png", hash: hashBytes(bytes) },
    ]);
    index.close();
  });

  it("takes folders, globs, exclusions, dots, brackets and files outside", async () => {
    const { root, put, scan, paths } = project();
    put("photos/a.png", await png(1));
    put("photos/.hidden/b.png", await png(2));
    put("photos/.c.png", await png(3));
    put("photos/node_modules/d.png", await png(4));
    put("photos/[set] (1)/e.png", await png(5));
    put("other/f.webp", await picture(20, 10, 6).webp().toBuffer());
    put(".leaf/cache/thumb.png", await png(7));
    await scan("photos");
    expect(paths()).toEqual(["photos/[set] (1)/e.png", "photos/a.png"]);
    await scan(".");
    expect(paths()).toEqual(["other/f.webp", "photos/[set] (1)/e.png", "photos/a.png"]);
    await scan("photos/[set] (1)");
    expect(paths()).toEqual(["photos/[set] (1)/e.png"]);
    await scan(["./photos/*.png", "other/**", "photos/a.png"]);
    expect(paths()).toEqual(["other/f.webp", "photos/a.png"]);
    await scan(["**/*", "!photos"]);
    expect(paths()).toEqual(["other/f.webp"]);
    const inner = path.join(root, "other");
    const indexFile = path.join(inner, ".leaf", "index.sqlite");
    await indexDataset({ root: inner, images: "../photos", indexFile });
    const index = openIndex(indexFile);
    expect([...index.iterate()].map((image) => image.path)).toEqual([
      "../photos/[set] (1)/e.png",
      "../photos/a.png",
    ]);
    index.close();
    const absolute = await indexDataset({ root: inner, images: path.join(root, "photos"), indexFile });
    expect(absolute).toMatchObject({ files: 2, read: 0, removed: 0 });
  });

  it("names a folder that does not exist", async () => {
    await expect(project().scan("fotos")).rejects.toMatchObject({
      code: "config",
      message: /fotos does not exist/,
    });
    expect(await project().scan("nothing/*.png")).toMatchObject({ files: 0 });
  });

  it("passes over a link to nowhere", async () => {
    const { root, put, scan } = project();
    put("photos/a.png", await png(1));
    symlinkSync(path.join(root, "gone.png"), path.join(root, "photos", "link.png"));
    expect(await scan()).toMatchObject({ files: 1 });
  });

  it("finds a header that comes late", async () => {
    const { put, scan, indexFile } = project();
    // libtiff writes the directory after the pixels: here far beyond what is read ahead.
    put("photos/late.tif", await picture(400, 300).tiff({ compression: "none" }).toBuffer());
    await scan();
    const index = openIndex(indexFile);
    expect(index.byPath("photos/late.tif")).toMatchObject({ width: 400, height: 300, error: null });
    index.close();
  });

  it("is rebuilt when damaged or of another version", async () => {
    const { put, scan, indexFile, paths } = project();
    put("photos/a.png", await png(1));
    await scan();
    writeFileSync(indexFile, "this is no database, but long enough to be taken for one".repeat(100));
    for (const suffix of ["-wal", "-shm"]) rmSync(indexFile + suffix, { force: true });
    expect(() => openIndex(indexFile)).toThrow(/cannot be read/);
    expect(await scan()).toMatchObject({ files: 1, read: 1 });
    expect(paths()).toEqual(["photos/a.png"]);
    const { DatabaseSync } = await import("node:sqlite");
    const db = new DatabaseSync(indexFile);
    db.exec("PRAGMA user_version = 99");
    db.close();
    expect(await scan()).toMatchObject({ files: 1, read: 1 });
  });

  it("stops when cancelled and keeps what it knows", async () => {
    const { root, put, scan, indexFile } = project();
    for (let i = 0; i < 20; i++) put(`photos/${i}.png`, await png(i));
    await scan();
    const abort = new AbortController();
    const cancelled = indexDataset({
      root,
      images: "photos",
      indexFile,
      signal: abort.signal,
      concurrency: 1,
      onProgress: ({ done }) => {
        if (done === 5) abort.abort();
      },
    });
    await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
    expect(await scan()).toMatchObject({ files: 20, read: 0, removed: 0 });
  });

  it("serves a reader while a scan writes", async () => {
    const { put, scan, indexFile } = project();
    for (let i = 0; i < 5; i++) put(`photos/${i}.png`, await png(i));
    await scan();
    const index = openIndex(indexFile);
    const rows = index.iterate();
    expect(rows.next().value?.path).toBe("photos/0.png");
    put("photos/9.png", await png(9));
    expect(await scan()).toMatchObject({ files: 6, read: 1 });
    expect([...rows]).toHaveLength(4);
    expect(index.count()).toBe(6);
    index.close();
  });
});

describe("files", () => {
  it("hashes a large file in pieces", async () => {
    const { put } = project();
    const bytes = Buffer.alloc(700_001, "leaf");
    const file = put("big.bin", bytes);
    const { hash, head } = await hashFile(file, { head: 400_000 });
    expect(hash).toBe(hashBytes(bytes));
    expect(head.equals(bytes.subarray(0, 400_000))).toBe(true);
    // SHA-256 of the empty string, first 128 bits.
    expect(hashBytes(Buffer.alloc(0))).toBe("e3b0c44298fc1c149afbf4c8996fb924");
  });

  it("writes atomically", async () => {
    const { root } = project();
    const file = path.join(root, "a", "b.json");
    await writeJson(file, { x: 1 });
    expect(await readJsonAs(file, z.unknown())).toEqual({ x: 1 });
    expect(await readJsonAs(path.join(root, "none.json"), z.unknown())).toBeUndefined();
    expect(isTemporaryName(temporaryName(file))).toBe(true);
    expect(isTemporaryName(file)).toBe(false);
    mkdirSync(path.join(root, "folder", "inside"), { recursive: true });
    await expect(writeJson(path.join(root, "folder"), 1)).rejects.toThrow();
    const { readdirSync } = await import("node:fs");
    expect(readdirSync(root).filter(isTemporaryName)).toEqual([]);
  });
});
