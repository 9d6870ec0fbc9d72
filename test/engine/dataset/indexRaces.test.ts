import { execFile } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { indexDataset } from "../../../src/engine/dataset/dataset.ts";
import { openForReading } from "../../../src/engine/dataset/index/file.ts";
import type * as inspect from "../../../src/engine/dataset/index/inspect.ts";
import { updateIndex } from "../../../src/engine/dataset/index/update.ts";
import { temporaryFolder } from "../../support/pictures.ts";

/** Trials with processes, and of random orders; more by hand. */
const rounds = Number(process.env.LEAF_TRIALS ?? 2);
const script = fileURLToPath(new URL("../../support/scanIndex.ts", import.meta.url));

/** Files are read as ever, each after a wait of its own: so the scans take turns in any order. */
let waitOf = (_file: string): number => 0;
vi.mock("../../../src/engine/dataset/index/inspect.ts", async (original) => {
  const real = await original<typeof inspect>();
  return {
    ...real,
    inspectFile: async (...args: Parameters<typeof real.inspectFile>) => {
      const read = await real.inspectFile(...args);
      const wait = waitOf(args[1]);
      if (wait > 0) await setTimeout(wait);
      return read;
    },
  };
});

/** A bitmap of one pixel, told apart from the others by the bytes behind it. */
function bitmap(i: number): Buffer {
  const bytes = Buffer.alloc(66);
  bytes.write("BM");
  bytes.writeUInt32LE(58, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(1, 18);
  bytes.writeInt32LE(1, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  bytes.writeUInt32LE(i, 58);
  return bytes;
}

/** Paths with the hashes that the index knows them by. */
function rowsOf(indexFile: string): Record<string, string> {
  const db = openForReading(indexFile);
  try {
    const rows = db.prepare("SELECT path, hash FROM files ORDER BY path").all();
    return Object.fromEntries(rows.map((row) => [String(row.path), String(row.hash)]));
  } finally {
    db.close();
  }
}

function world() {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "photos"));
  const indexFile = path.join(root, ".leaf", "cache", "index.sqlite");
  const place = { root, images: "photos", indexFile };
  const onDisk = new Map<string, Buffer>();
  return {
    root,
    place,
    indexFile,
    put(file: string, content: Buffer) {
      const absolute = path.join(root, file);
      mkdirSync(path.dirname(absolute), { recursive: true });
      // As editors and git do it: another file under the same name.
      writeFileSync(`${absolute}.part`, content);
      renameSync(`${absolute}.part`, absolute);
      onDisk.set(file, content);
      return absolute;
    },
    remove(file: string) {
      rmSync(path.join(root, file), { force: true });
      onDisk.delete(file);
      return path.join(root, file);
    },
    expected: () =>
      Object.fromEntries(
        [...onDisk]
          .map(([file, content]) => [file, hashBytes(content)])
          .sort(([a], [b]) => (a! < b! ? -1 : 1)),
      ),
  };
}

const fileNumber = fc.nat({ max: 5 });
const act = fc.oneof(
  fc.record({ do: fc.constant("scan" as const) }),
  fc.record({ do: fc.constant("write" as const), file: fileNumber, content: fc.nat({ max: 50 }) }),
  fc.record({ do: fc.constant("delete" as const), file: fileNumber }),
  fc.record({ do: fc.constant("discard" as const) }),
);

describe("several scans of one index at once", () => {
  it("end with the files on the disk, whatever comes between them", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ after: fc.nat({ max: 12 }), act }), { minLength: 2, maxLength: 10 }),
        fc.array(fc.nat({ max: 15 }), { minLength: 8, maxLength: 8 }),
        async (steps, waits) => {
          let n = 0;
          waitOf = () => waits[n++ % waits.length]!;
          const { place, put, remove, expected, indexFile } = world();
          for (let i = 0; i < 6; i++) put(`photos/${i}.bmp`, bitmap(i));
          const running: Promise<unknown>[] = [
            indexDataset(place),
            indexDataset({ ...place, concurrency: 1 }),
          ];
          for (const { after, act } of steps) {
            await setTimeout(after);
            // Deleted as a user may at any time, while others have it open.
            if (act.do === "discard") rmSync(path.dirname(indexFile), { recursive: true, force: true });
            if (act.do === "discard" || act.do === "scan") running.push(indexDataset(place));
            else {
              const name = `photos/${act.file}.bmp`;
              // As the watcher in the editor tells it.
              const file = act.do === "write" ? put(name, bitmap(100 + act.content)) : remove(name);
              running.push(updateIndex(place, { changed: [file], removed: [] }));
            }
          }
          await Promise.all(running);
          expect(rowsOf(indexFile)).toEqual(expected());
        },
      ),
      { numRuns: 12 * rounds, endOnFailure: true },
    );
    waitOf = () => 0;
  });

  it("keep every file, in processes of their own", { timeout: rounds * 60_000 }, async () => {
    const { root, put, indexFile, expected } = world();
    for (let i = 0; i < 3000; i++) put(`photos/${i % 7}/p${i}.bmp`, bitmap(i));
    const wrong: unknown[] = [];
    for (let round = 0; round < rounds; round++) {
      rmSync(path.dirname(indexFile), { recursive: true, force: true });
      const delays = [0, round % 2 ? 0 : 60, round % 3 ? 200 : 0];
      const told = await Promise.all(
        delays.map((delay) =>
          promisify(execFile)(process.execPath, [script, root, indexFile, String(delay)]).then(
            ({ stdout }) => (JSON.parse(stdout) as { files: number }).files,
            (error: Error) => error.message.slice(-300),
          ),
        ),
      );
      const left = Object.keys(rowsOf(indexFile)).length;
      if (left !== 3000 || told.some((files) => files !== 3000)) wrong.push({ told, left });
    }
    expect(wrong).toEqual([]);
    expect(rowsOf(indexFile)).toEqual(expected());
  });
});

describe("a damaged index", () => {
  it("is made anew once, by several processes that find it", { timeout: 60_000 }, async () => {
    const { root, put, indexFile, expected, place } = world();
    for (let i = 0; i < 300; i++) put(`photos/${i}.bmp`, bitmap(i));
    for (const bytes of [Buffer.from("no database at all"), Buffer.alloc(8192, 7)]) {
      await indexDataset(place);
      writeFileSync(indexFile, bytes);
      const runs = [0, 0, 40].map((delay) =>
        promisify(execFile)(process.execPath, [script, root, indexFile, String(delay)]),
      );
      for (const { stdout } of await Promise.all(runs))
        expect(JSON.parse(stdout)).toMatchObject({ files: 300 });
      expect(rowsOf(indexFile)).toEqual(expected());
    }
  });
});

describe("a file that is replaced while it is read", () => {
  it("is filed under the bytes that it has in the end", async () => {
    const { place, put, indexFile } = world();
    for (let i = 0; i < 20; i++) put(`photos/${i}.bmp`, bitmap(i));
    let changes = 0;
    waitOf = (file) => {
      // Its bytes have just been read: the same size as before, another file.
      if (changes < 30) put(file, bitmap(1000 + changes++));
      return 1;
    };
    await indexDataset(place);
    waitOf = () => 0;
    const rows = rowsOf(indexFile);
    await indexDataset({ ...place, indexFile: `${indexFile}.fresh` });
    expect(rows).toEqual(rowsOf(`${indexFile}.fresh`));
  });

  it("is told as unusable where it never comes to rest, and read by the next scan", async () => {
    const { place, put, indexFile, expected } = world();
    put("photos/a.bmp", bitmap(1));
    let n = 0;
    waitOf = (file) => {
      put(file, bitmap(++n));
      return 1;
    };
    expect(await indexDataset(place)).toMatchObject({ files: 1, images: 0, failed: 1 });
    waitOf = () => 0;
    expect(await indexDataset(place)).toMatchObject({ files: 1, images: 1, failed: 0, read: 1 });
    expect(rowsOf(indexFile)).toEqual(expected());
  });
});
