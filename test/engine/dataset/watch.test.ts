import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { projectOf } from "../../../src/engine/config/project.ts";
import { indexDataset, openIndex } from "../../../src/engine/dataset/dataset.ts";
import { updateIndex } from "../../../src/engine/dataset/index/update.ts";
import { type ChangeBatch, explainWatchError, watchImages } from "../../../src/engine/dataset/watch/watch.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

let png: Buffer;
beforeAll(async () => {
  png = await picture(12, 10).png().toBuffer();
});
let n = 0;
const image = () => Buffer.concat([png, Buffer.from(String(n++))]);

/** A watched project whose index follows the batches, as in the server. */
async function watched(
  images: string | string[] = "photos",
  usePolling = false,
  prepare?: (root: string) => void,
) {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "photos"));
  prepare?.(root);
  const project = { ...projectOf(path.join(root, "leaf.yaml"), { images } as never) };
  const place = { root, images, indexFile: project.indexFile };
  await indexDataset(place).catch(() => indexDataset({ ...place, images: "." }));
  const batches: ChangeBatch[] = [];
  const errors: unknown[] = [];
  let queue = Promise.resolve();
  const watcher = await watchImages(
    project,
    {
      usePolling,
      onBatch(batch) {
        batches.push(batch);
        queue = queue.then(async () => void (await updateIndex(place, batch)));
      },
    },
    (error) => errors.push(error),
  );
  onTestFinished(() => watcher.close());
  const at = (file: string) => path.join(root, file);
  return {
    root,
    at,
    batches,
    errors,
    put(file: string, content: string | Buffer = image()) {
      mkdirSync(path.dirname(at(file)), { recursive: true });
      writeFileSync(at(file), content);
    },
    /** The first batch that tells of a path, and how long it took. */
    async told(file: string, since = 0, limitMs = 5000) {
      const start = performance.now();
      for (;;) {
        const found = batches
          .slice(since)
          .find(({ changed, removed }) => [...changed, ...removed].includes(at(file)));
        const ms = performance.now() - start;
        if (found) return { ...found, ms };
        if (ms > limitMs) throw new Error(`nothing told of ${file}: ${JSON.stringify(batches)}`);
        await setTimeout(10);
      }
    },
    /** Until the index holds just these files, or the time is over. */
    async settles(expected: string[], limitMs = 10_000) {
      const start = performance.now();
      for (;;) {
        await queue;
        const index = openIndex(project.indexFile);
        const paths = [...index.iterate()].map((one) => one.path);
        index.close();
        const same =
          paths.length === expected.length && paths.every((one, i) => one === expected.toSorted()[i]);
        if (same) return;
        if (performance.now() - start > limitMs) expect(paths).toEqual(expected.toSorted());
        await setTimeout(50);
      }
    },
  };
}

describe("watchImages", () => {
  it("tells within half a second of a file that came, changed, was renamed and went", async () => {
    const { put, at, told, batches, settles } = await watched();
    put("photos/one.png");
    const added = await told("photos/one.png");
    expect(added).toMatchObject({ changed: [at("photos/one.png")], removed: [] });
    expect(added.ms).toBeLessThan(500);
    await settles(["photos/one.png"]);

    let since = batches.length;
    put("photos/one.png");
    expect((await told("photos/one.png", since)).changed).toEqual([at("photos/one.png")]);

    since = batches.length;
    renameSync(at("photos/one.png"), at("photos/two.png"));
    expect(await told("photos/two.png", since)).toMatchObject({
      changed: [at("photos/two.png")],
      removed: [at("photos/one.png")],
    });
    await settles(["photos/two.png"]);

    since = batches.length;
    rmSync(at("photos/two.png"));
    expect(await told("photos/two.png", since)).toMatchObject({
      changed: [],
      removed: [at("photos/two.png")],
    });
    await settles([]);
  });

  it("waits until a file is written to its end", async () => {
    const { put, at, told, batches } = await watched();
    put("photos/slow.png", "");
    for (let i = 0; i < 12; i++) {
      appendFileSync(at("photos/slow.png"), png.subarray(i * 4, i * 4 + 4));
      await setTimeout(50);
    }
    expect(batches).toEqual([]);
    expect((await told("photos/slow.png")).changed).toEqual([at("photos/slow.png")]);
  });

  it("passes over what is no image of the dataset", async () => {
    const { put, batches, told, at } = await watched(["photos", "!photos/raw"]);
    for (const file of [
      "photos/notes.txt",
      "photos/.one.png",
      "photos/.cache/one.png",
      "photos/node_modules/x/one.png",
      "photos/raw/one.png",
      "elsewhere/one.png",
      ".leaf/cache/pictures/ab/one.png",
      "one.png",
    ])
      put(file);
    await setTimeout(600);
    put("photos/last.png");
    await told("photos/last.png");
    expect(batches.flatMap(({ changed, removed }) => [...changed, ...removed])).toEqual([
      at("photos/last.png"),
    ]);
  });

  it("tells a thousand files in few batches, and their going too", { timeout: 30_000 }, async () => {
    const { put, batches, settles, at } = await watched();
    const names = Array.from({ length: 1000 }, (_, i) => `photos/${i}.png`);
    for (const name of names) put(name);
    await settles(names);
    const adding = batches.length;
    expect(adding).toBeLessThanOrEqual(8);
    for (const name of names) rmSync(at(name));
    await settles([]);
    expect(batches.length - adding).toBeLessThanOrEqual(8);
  });

  it("follows whole folders that come, move and go", { timeout: 30_000 }, async () => {
    const { put, at, settles } = await watched();
    for (let i = 0; i < 60; i++) put(`outside/a/${i % 3}/${i}.png`);
    const names = (folder: string) => Array.from({ length: 60 }, (_, i) => `${folder}/a/${i % 3}/${i}.png`);
    renameSync(at("outside"), at("photos/in"));
    await settles(names("photos/in"));
    renameSync(at("photos/in"), at("photos/moved"));
    await settles(names("photos/moved"));
    cpSync(at("photos/moved"), at("photos/copy"), { recursive: true });
    // Of copies the first path counts, and of a changed copy both.
    await settles(names("photos/copy"));
    put("photos/copy/a/0/0.png");
    await settles([...names("photos/copy"), "photos/moved/a/0/0.png"]);
    rmSync(at("photos/copy"), { recursive: true });
    await settles(names("photos/moved"));
    rmSync(at("photos/moved"), { recursive: true });
    await settles([]);
  });

  it("notices when the folder of the images itself goes and comes back", async () => {
    const { put, at, settles } = await watched();
    put("photos/one.png");
    await settles(["photos/one.png"]);
    rmSync(at("photos"), { recursive: true });
    await settles([]);
    put("photos/two.png");
    await settles(["photos/two.png"]);
    put("photos/sub/three.png");
    await settles(["photos/sub/three.png", "photos/two.png"]);
  });

  it("is not misled by a folder that is replaced at once, nor by a link in a circle", async () => {
    const { put, at, settles, errors } = await watched("photos", false, (root) => {
      mkdirSync(path.join(root, "photos", "a"));
      symlinkSync(path.join(root, "photos"), path.join(root, "photos", "a", "circle"));
    });
    for (let i = 0; i < 5; i++) {
      rmSync(at("photos/b"), { recursive: true, force: true });
      put(`photos/b/${i}.png`);
    }
    await settles(["photos/b/4.png"]);
    put("photos/b/last.png");
    await settles(["photos/b/4.png", "photos/b/last.png"]);
    expect(errors).toEqual([]);
  });

  it.each([false, true])(
    "follows the links that a search follows, each folder once (polling: %s)",
    {
      timeout: 30_000,
    },
    async (usePolling) => {
      const { put, at, settles, errors } = await watched("photos", usePolling, (root) => {
        for (const dir of ["photos/a", "photos/b", "out/1", "out/2"])
          mkdirSync(path.join(root, dir), { recursive: true });
        // Each folder leads to the other, and all to the one above: paths without end.
        for (const [dir, other] of ["ab", "ba"]) {
          symlinkSync(`../${other}`, path.join(root, "photos", dir!, "other"));
          symlinkSync("..", path.join(root, "photos", dir!, "up"));
          symlinkSync(".", path.join(root, "photos", dir!, "self"));
        }
        symlinkSync("../out/1", path.join(root, "photos/linked"));
      });
      put("photos/a/one.png");
      put("out/1/two.png");
      await settles(["photos/a/one.png", "photos/linked/two.png"]);
      put("out/2/three.png");
      symlinkSync("../out/2", at("photos/new"));
      renameSync(at("photos/new"), at("photos/linked"));
      await settles(["photos/a/one.png", "photos/linked/three.png"]);
      put("photos/b/four.png");
      rmSync(at("photos/linked"));
      await settles(["photos/a/one.png", "photos/b/four.png"]);
      expect(errors).toEqual([]);
    },
  );

  it("watches globs, single files, folders above and links", async () => {
    const { put, at, settles } = await watched(
      ["photos/*/set.*/*.png", "cover.png", "more/{a,b}/**/*.jpg", "linked"],
      false,
      (root) => {
        mkdirSync(path.join(root, "more"));
        mkdirSync(path.join(root, "real"));
        symlinkSync(path.join(root, "real"), path.join(root, "linked"));
        writeFileSync(path.join(root, "cover.png"), image());
      },
    );
    for (const file of ["photos/x/set.1/one.png", "more/a/deep/er/two.jpg", "cover.png", "real/three.png"])
      put(file);
    for (const file of ["photos/set.1/no.png", "photos/x/set.1/deep/no.png", "more/c/no.jpg", "no.png"])
      put(file);
    await settles(["cover.png", "linked/three.png", "more/a/deep/er/two.jpg", "photos/x/set.1/one.png"]);
    rmSync(at("real/three.png"));
    await settles(["cover.png", "more/a/deep/er/two.jpg", "photos/x/set.1/one.png"]);
  });

  it("keeps up with what another process copies in and changes", { timeout: 120_000 }, async () => {
    const { put, at, settles } = await watched();
    const names: string[] = [];
    for (let i = 0; i < 600; i++) {
      put(`outside/${i % 5}/${i}.png`);
      names.push(`photos/new/${i % 5}/${i}.png`);
    }
    expect(spawnSync("cp", ["-r", at("outside"), at("photos/new")]).status).toBe(0);
    await settles(names, 45_000);
    expect(spawnSync("rm", ["-r", at("photos/new/0")]).status).toBe(0);
    await settles(
      names.filter((name) => !name.startsWith("photos/new/0/")),
      30_000,
    );
  });

  it("by polling: single files and folders", { timeout: 30_000 }, async () => {
    const { put, at, settles } = await watched("photos", true);
    put("photos/one.png");
    put("photos/sub/two.png");
    put("photos/notes.txt");
    await settles(["photos/one.png", "photos/sub/two.png"]);
    put("photos/one.png", Buffer.concat([png, Buffer.from("changed, and longer")]));
    renameSync(at("photos/sub"), at("photos/other"));
    await settles(["photos/one.png", "photos/other/two.png"]);
    rmSync(at("photos/one.png"));
    await settles(["photos/other/two.png"]);
  });

  it("is silent once it is closed", async () => {
    const root = temporaryFolder();
    mkdirSync(path.join(root, "photos"));
    const batches: ChangeBatch[] = [];
    const project = projectOf(path.join(root, "leaf.yaml"), { images: "photos" } as never);
    const watcher = await watchImages(
      project,
      { usePolling: false, onBatch: (batch) => batches.push(batch) },
      () => {},
    );
    writeFileSync(path.join(root, "photos", "one.png"), png);
    await setTimeout(60);
    await watcher.close();
    writeFileSync(path.join(root, "photos", "two.png"), png);
    await setTimeout(500);
    expect(batches).toEqual([]);
  });

  it("says what to do where the system allows no more watches", () => {
    const error = Object.assign(new Error("ENOSPC: System limit for number of file watchers reached"), {
      code: "ENOSPC",
    });
    const told = explainWatchError(error, "/data/photos");
    expect(told).toBeInstanceOf(LeafError);
    expect(told).toMatchObject({
      code: "environment",
      file: "/data/photos",
      remedy: expect.stringContaining("leaf.watcher.usePolling"),
    });
    const other = new Error("other");
    expect(explainWatchError(other, "/data")).toBe(other);
  });
});
