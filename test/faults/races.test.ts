import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { hashBytes } from "../../src/engine/base/files.ts";
import { randomInt } from "../../src/engine/base/random.ts";
import { openProject } from "../../src/engine/config/project.ts";
import { openIndex } from "../../src/engine/dataset/dataset.ts";
import { config, leaf, leafJson, makeWorkspace } from "../integration/workspace.ts";
import { picture } from "../support/pictures.ts";
import { labelsOf, sleep } from "./support/projects.ts";
import { temporaryFolder, trials } from "./support/trials.ts";

// Several commands and a changing folder at once: the editor beside a terminal, a sync tool beside both.

test("commands that scan at once agree on every image", { timeout: 3_600_000 }, async () => {
  const dir = temporaryFolder();
  const photos = path.join(dir, "photos");
  mkdirSync(photos);
  const bytes = await picture(16, 16).png().toBuffer();
  // A comment chunk's worth of trailing bytes makes each its own image.
  for (let i = 0; i < 1500; i++)
    writeFileSync(path.join(photos, `${i}.png`), Buffer.concat([bytes, Buffer.from(`${i}`)]));
  writeFileSync(path.join(dir, "leaf.yaml"), "images: photos\n");
  await trials("scans at once", 4, async (random) => {
    if (random() < 0.5) rmSync(path.join(dir, ".leaf"), { recursive: true, force: true });
    const runs = Array.from({ length: 3 }, async () => {
      await sleep(randomInt(random, 400));
      return leaf(dir, "status", "--json");
    });
    for (const { code, stderr } of await Promise.all(runs)) expect(code, stderr).toBe(0);
    const { indexFile } = await openProject(path.join(dir, "leaf.yaml"));
    const index = openIndex(indexFile);
    expect(index.count()).toBe(1500);
    index.close();
  });
});

test("files replaced during label: no label stands under another image's hash", {
  timeout: 3_600_000,
}, async () => {
  await trials("replaced files", 3, async (random) => {
    const [dir, spare] = [temporaryFolder(), temporaryFolder()];
    await makeWorkspace(dir, 40);
    // What any file may hold, each known by its hash.
    const pool: Buffer[] = [];
    for (let i = 0; i < 40; i++)
      pool.push(
        await picture(160, 160, i)
          .blur(0.3 + i / 10)
          .png()
          .toBuffer(),
      );
    const names = readdirSync(path.join(dir, "photos"));
    let running = true;
    const replacing = (async () => {
      while (running) {
        const file = path.join(dir, "photos", names[randomInt(random, names.length)]!);
        const next = path.join(spare, "next.png");
        writeFileSync(next, pool[randomInt(random, pool.length)]!);
        renameSync(next, file);
        await sleep(4);
      }
    })();
    for (let i = 0; i < 2; i++) await leaf(dir, "label");
    running = false;
    await replacing;
    const judged = labelsOf(dir).points as { hash: string; status: unknown; score: number }[];

    // The same pictures in a folder that stands still.
    const still = temporaryFolder();
    await makeWorkspace(still, 40);
    for (const [i, bytes] of pool.entries())
      writeFileSync(path.join(still, "photos", `pool_${i}.png`), bytes);
    // All of them train: an image that is held out and has no score is not asked about.
    writeFileSync(
      path.join(still, "leaf.yaml"),
      config().replace(/^split: .*$/m, "split: { test: 0, val: 0 }"),
    );
    await leafJson(still, "label", "--points-only");
    const truth = new Map(
      (labelsOf(still).points as { hash: string; score: number }[]).map(({ hash, score }) => [hash, score]),
    );
    let checked = 0;
    for (const { hash, score } of judged) {
      if (score === null) continue;
      checked++;
      expect([hash, score]).toEqual([hash, truth.get(hash)]);
    }
    expect(checked).toBeGreaterThan(0);
    expect(pool.every((bytes) => truth.has(hashBytes(bytes)))).toBe(true);
  });
});
