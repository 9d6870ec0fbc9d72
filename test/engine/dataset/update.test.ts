import { existsSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { indexDataset } from "../../../src/engine/dataset/dataset.ts";
import { openForReading } from "../../../src/engine/dataset/index/file.ts";
import { updateIndex } from "../../../src/engine/dataset/index/update.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

const pngs: Buffer[] = [];
beforeAll(async () => {
  for (let seed = 0; seed < 6; seed++)
    pngs.push(
      await picture(12 + seed, 10, seed)
        .png()
        .toBuffer(),
    );
});

function rowsOf(indexFile: string): unknown[] {
  const db = openForReading(indexFile);
  try {
    return db
      .prepare(
        "SELECT path, size, mtimeMs, hash, format, width, height, error, note, name, stem FROM files ORDER BY path",
      )
      .all();
  } finally {
    db.close();
  }
}

const pathsOf = (indexFile: string) => rowsOf(indexFile).map((row) => (row as { path: string }).path);

/** `project/` holds the config; a folder beside it may hold images too. */
function project(images: string | string[]) {
  const top = temporaryFolder();
  const root = path.join(top, "project");
  for (const dir of ["project/photos", "project/more", "beside"])
    mkdirSync(path.join(top, dir), { recursive: true });
  const indexFile = path.join(root, ".leaf", "cache", "index.sqlite");
  const place = { root, images, indexFile };
  const at = (file: string) => path.join(top, file);
  return {
    at,
    root,
    indexFile,
    put(file: string, content: string | Buffer) {
      mkdirSync(path.dirname(at(file)), { recursive: true });
      writeFileSync(at(file), content);
      return at(file);
    },
    scan: () => indexDataset(place),
    update: (changed: string[], removed: string[] = []) => updateIndex(place, { changed, removed }),
    paths: () => pathsOf(indexFile),
    async fresh() {
      const other = path.join(top, "fresh.sqlite");
      rmSync(other, { force: true });
      await indexDataset({ ...place, indexFile: other });
      return rowsOf(other);
    },
  };
}

const folder = fc.constantFrom(
  "project/photos",
  "project/photos/a",
  "project/photos/a/deep",
  "project/photos/raw",
  "project/photos/[b] c",
  "project/photos/.hidden",
  "project/photos/node_modules/x",
  "project/more",
  "project/more/sub",
  "project",
  "beside/x",
);
const name = fc.constantFrom("one.png", "two.PNG", "three.jpg", "four.webp", ".five.png", "notes.txt", "six");
const file = fc.tuple(folder, name).map((parts) => parts.join("/"));
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), file, seed: fc.nat({ max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), file: fc.oneof(file, folder) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("rename" as const),
      file: fc.oneof(file, folder),
      to: fc.oneof(file, folder),
    }),
  },
);
const imagesOf = fc.constantFrom<string | string[]>(
  "photos",
  ["photos", "!photos/raw"],
  ["photos/**/*.png", "more/*.{png,jpg}", "../beside"],
  ["photos/a/../a", "**/*.PNG", "!more/**"],
  ".",
  ["more", "photos/one.png", "photos/*/t*"],
);
const kept = ["project", "project/photos", "project/more", "beside"];

describe("updateIndex", () => {
  it("agrees with a whole scan after any adds, changes, renames and deletions", {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        imagesOf,
        fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        async (images, batches) => {
          const { at, put, scan, update, fresh, indexFile } = project(images);
          // `images` may name it: a scan wants it to be there.
          put("project/photos/one.png", pngs[0]!);
          mkdirSync(at("project/photos/a"));
          await scan();
          for (const batch of batches) {
            const changed: string[] = [];
            const removed: string[] = [];
            for (const one of batch) {
              const target = at(one.file);
              if (one.do === "write") {
                if (existsSync(target) && statSync(target).isDirectory()) continue;
                put(one.file, pngs[one.seed] ?? "no image");
                changed.push(target);
              } else if (
                !existsSync(target) ||
                kept.includes(one.file) ||
                one.file.startsWith("project/photos/one")
              ) {
                // Nothing to delete or move, or `images` needs it.
              } else if (one.do === "delete") {
                rmSync(target, { recursive: true });
                removed.push(target);
              } else if (!existsSync(at(one.to)) && !one.to.startsWith(`${one.file}/`)) {
                mkdirSync(path.dirname(at(one.to)), { recursive: true });
                renameSync(target, at(one.to));
                removed.push(target);
                changed.push(at(one.to));
              }
            }
            mkdirSync(at("project/photos/a"), { recursive: true });
            await update(changed, removed);
            expect(rowsOf(indexFile)).toEqual(await fresh());
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it("tells what became of each file", async () => {
    const { put, scan, update, at } = project("photos");
    const one = put("project/photos/one.png", pngs[1]!);
    const two = put("project/photos/two.png", pngs[2]!);
    await scan();
    put("project/photos/one.png", pngs[3]!);
    rmSync(two);
    const three = put("project/photos/sub/three.png", pngs[4]!);
    const four = put("project/photos/four.png", "no image");
    const text = put("project/photos/readme.txt", "text");
    const elsewhere = put("project/elsewhere.png", pngs[1]!);
    const told = await update([one, three, four, text, elsewhere], [two]);
    expect(told).toEqual({
      added: ["photos/sub/three.png"],
      updated: ["photos/one.png"],
      removed: ["photos/two.png"],
      failed: ["photos/four.png"],
    });
    const nothing = { added: [], updated: [], removed: [], failed: [] };
    expect(await update([one, three, four], [two])).toEqual(nothing);
    expect(await update([], [])).toEqual(nothing);
    put("project/photos/four.png", pngs[5]!);
    expect(await update([four])).toEqual({ ...nothing, added: ["photos/four.png"] });
    rmSync(at("project/photos"), { recursive: true });
    const { removed } = await update([], [at("project/photos")]);
    expect(removed.sort()).toEqual(["photos/four.png", "photos/one.png", "photos/sub/three.png"]);
  });

  it("believes the disk: a file told as removed that is back stays", async () => {
    const { put, scan, update, paths } = project("photos");
    const one = put("project/photos/one.png", pngs[1]!);
    await scan();
    expect(await update([], [one])).toEqual({ added: [], updated: [], removed: [], failed: [] });
    expect(paths()).toEqual(["photos/one.png"]);
  });

  it("follows a folder that came under a link as a scan does", async () => {
    const { put, scan, update, fresh, at, indexFile } = project("photos");
    put("beside/real/one.png", pngs[1]!);
    await scan();
    symlinkSync(at("beside/real"), at("project/photos/linked"));
    expect((await update([at("project/photos/linked")])).added).toEqual(["photos/linked/one.png"]);
    put("beside/real/two.png", pngs[2]!);
    expect((await update([at("project/photos/linked/two.png")])).added).toEqual(["photos/linked/two.png"]);
    expect(rowsOf(indexFile)).toEqual(await fresh());
  });

  it("scans anew where the index is missing or damaged", async () => {
    const { put, scan, update, paths, indexFile } = project("photos");
    const one = put("project/photos/one.png", pngs[1]!);
    put("project/photos/two.png", pngs[2]!);
    expect((await update([one])).added).toEqual(["photos/one.png"]);
    expect(paths()).toEqual(["photos/one.png", "photos/two.png"]);
    writeFileSync(indexFile, "this is no database at all, whatever it is called");
    expect((await update([one])).added).toEqual(["photos/one.png"]);
    expect(paths()).toEqual(["photos/one.png", "photos/two.png"]);
    await scan();
  });

  it("takes in a folder of a thousand at once, and lets it go", async () => {
    const { put, scan, update, at } = project("photos");
    await scan();
    for (let i = 0; i < 1000; i++)
      put(`project/photos/many/${i % 7}/${i}.png`, Buffer.concat([pngs[0]!, Buffer.from(String(i))]));
    expect((await update([at("project/photos/many")])).added.length).toBe(1000);
    rmSync(at("project/photos/many"), { recursive: true });
    expect((await update([], [at("project/photos/many")])).removed.length).toBe(1000);
  });

  it("stops when told to", async () => {
    const { put, indexFile, root, scan } = project("photos");
    const one = put("project/photos/one.png", pngs[1]!);
    await scan();
    const place = { root, images: "photos", indexFile };
    await expect(
      updateIndex(place, { changed: [one], removed: [] }, AbortSignal.abort()),
    ).rejects.toMatchObject({ code: "cancelled" });
  });
});
