import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { initProject } from "../../../../src/engine/config/init.ts";
import { openProject } from "../../../../src/engine/config/project.ts";
import { openCatalog } from "../../../../src/engine/dataset/catalog.ts";
import { checkProject } from "../../../../src/engine/dataset/check.ts";
import { temporaryFolder } from "../../../support/pictures.ts";

const pictures = 12;

/** Twelve pictures of noise, each in three versions: `<n>.png`, `<n>-saved.jpg`, `<n>-small.png`. */
async function versions(): Promise<string> {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "photos"));
  for (let n = 0; n < pictures; n++) {
    const noise = { type: "gaussian", mean: 128, sigma: 60 } as const;
    const blocks = sharp({ create: { width: 12, height: 12, channels: 3, background: "#808080", noise } });
    const png = await blocks.resize(96, 96, { kernel: "cubic" }).png().toBuffer();
    const put = (name: string, bytes: Buffer) => writeFileSync(path.join(root, "photos", name), bytes);
    put(`${n}.png`, png);
    put(`${n}-saved.jpg`, await sharp(png).jpeg({ quality: 60 }).toBuffer());
    put(`${n}-small.png`, await sharp(png).resize(64, 64).png().toBuffer());
  }
  return root;
}

async function splits(root: string): Promise<Set<string>[]> {
  const catalog = await openCatalog(await openProject(path.join(root, "leaf.yaml")));
  try {
    const found = Array.from({ length: pictures }, () => new Set<string>());
    for (const hash of catalog.hashes)
      found[Number.parseInt(path.basename(catalog.relativePathOf(hash)), 10)]!.add(catalog.splitOf(hash));
    return found;
  } finally {
    catalog.close();
  }
}

test("versions of a picture share a split in a config that init wrote; without the key they may not, and check names them", async () => {
  const root = await versions();
  const { file } = await initProject(root, { force: false });
  expect((await splits(root)).map((some) => some.size)).toEqual(Array(pictures).fill(1));
  const clean = await checkProject(await openProject(file), {});
  expect(clean).toMatchObject({ leaks: [] });

  writeFileSync(file, "images: photos\nteacher: { kind: embedded }\n");
  const drawn = await splits(root);
  expect(drawn.some((some) => some.size > 1)).toBe(true);
  const { leaks } = await checkProject(await openProject(file), {});
  const split = drawn.filter((some) => some.size > 1).length;
  expect(new Set(leaks!.map(({ image }) => Number.parseInt(path.basename(image), 10))).size).toBe(split);
});
