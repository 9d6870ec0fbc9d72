import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { hashFile } from "../../../src/engine/base/files.ts";
import type { Catalog } from "../../../src/engine/dataset/catalog.ts";
import { openTensorCache } from "../../../src/engine/images/tensorCache.ts";
import { cleanStages } from "../../../src/engine/pipeline/clean.ts";
import { rawBytes, trainingCache } from "../../../src/engine/pipeline/stages/training.ts";
import { liveProject } from "../../support/liveWorld.ts";
import { nodeChild } from "../../support/nodeChild.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

test("trainings that begin at once in several processes decode once, and what they read stays", async () => {
  const root = temporaryFolder();
  const project = liveProject(root, { student: { model: "atto", input: { resize: 48, crop: 32 } } });
  mkdirSync(path.join(root, "photos"));
  const files: Record<string, string> = {};
  for (let i = 0; i < 24; i++) {
    const file = path.join(root, "photos", `${i}.png`);
    await picture(64, 64, i).png().toFile(file);
    files[(await hashFile(file)).hash] = file;
  }
  const trainings = Array.from({ length: 3 }, () =>
    nodeChild(
      `const { trainingCache } = await import(engine + "/pipeline/stages/training.ts");
      const files = ${JSON.stringify(files)};
      const catalog = {
        hashes: Object.keys(files).sort(),
        splitOf: () => "train",
        pathOf: (hash) => files[hash],
        digestOf: (hashes) => [...hashes].join(),
        index: { iterate: () => [] },
      };
      let decoded = 0;
      process.stdin.once("data", async () => {
        const onProgress = () => decoded++;
        try {
          globalThis.cache = await trainingCache(${JSON.stringify(project)}, catalog, "distill", { onProgress });
          console.log(JSON.stringify({ dir: cache.dir, rows: cache.rowOf.size, decoded }));
        } catch (error) { console.log(JSON.stringify(String(error))); }
      });
      console.log("ready"); setInterval(() => {}, 1000);`,
    ),
  );
  await Promise.all(trainings.map((one) => one.line()));
  for (const { child } of trainings) child.stdin!.write("go\n");
  const told = (await Promise.all(trainings.map((one) => one.line()))).map((line) => JSON.parse(line));
  expect(told.map(({ rows }) => rows)).toEqual([24, 24, 24]);
  expect(told.map(({ decoded }) => decoded).sort((a, b) => a - b)).toEqual([0, 0, 24]);
  const { kept } = await cleanStages(project, true);
  expect(kept).toMatchObject([{ reason: "a training reads it" }]);
  const cache = await openTensorCache(told[0].dir);
  expect(cache?.rows).toBe(24);
  await cache?.close();
});

/** Of photos on the disk, all of which train. */
function catalogOf(files: Record<string, string>, sizes: { width: number; height: number }[] = []): Catalog {
  return {
    hashes: Object.keys(files).sort(),
    splitOf: () => "train",
    pathOf: (hash: string) => files[hash]!,
    digestOf: (hashes: Iterable<string>) => [...hashes].join(),
    index: { iterate: () => sizes },
  } as unknown as Catalog;
}

test("what decoded pictures take is told by their sizes, and large ones are cut to what is cached", () => {
  const input = { resize: 100, crop: 80, views: 1 } as const;
  const some = [
    { width: 400, height: 200 },
    { width: 50, height: 50 },
    { width: 0, height: 0 },
  ];
  // 200 x 100 and 100 x 100.
  expect(rawBytes(catalogOf({}, some), 1000, input)).toBe((1000 * 3 * (200 * 100 + 100 * 100)) / 2);
  expect(rawBytes(catalogOf({}), 1000, input)).toBe(0);
});

test("what is kept already is used, whatever room there is", async () => {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "photos"));
  const files: Record<string, string> = {};
  for (let i = 0; i < 3; i++) {
    const file = path.join(root, "photos", `${i}.png`);
    await picture(64, 64, i).png().toFile(file);
    files[(await hashFile(file)).hash] = file;
  }
  const student = { model: "atto", input: { resize: 48, crop: 32 } };
  const cached = async (cache: "auto" | "raw" | "webp") => {
    const project = liveProject(root, { student, python: { cache } });
    const { dir, release } = await trainingCache(project, catalogOf(files), "distill", {});
    release();
    return { dir, pixels: readdirSync(dir).find((name) => name.startsWith("pixels")) };
  };
  const webp = await cached("webp");
  expect(webp.pixels).toBe("pixels.webp");
  expect(await cached("auto")).toEqual(webp);
  expect((await cached("raw")).pixels).toBe("pixels.u8");
  expect((await cached("auto")).pixels).toBe("pixels.u8");
});
