import { mkdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { hashFile } from "../../../src/engine/base/files.ts";
import { openTensorCache } from "../../../src/engine/images/tensorCache.ts";
import { cleanStages } from "../../../src/engine/pipeline/clean.ts";
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
