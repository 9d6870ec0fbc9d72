import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { expect, it } from "vitest";
import { indexDataset, openIndex } from "../../../../src/engine/dataset/dataset.ts";
import { candidates } from "../../../../src/engine/dataset/twins/candidates.ts";
import { windows, words } from "../../../../src/engine/dataset/twins/signature.ts";
import { findTwins } from "../../../../src/engine/dataset/twins/twins.ts";
import { temporaryFolder } from "../../../support/pictures.ts";

const photos = path.resolve("demo/photos");

it("finds a picture saved, scaled, cut and converted again, and takes no two photos for one", async () => {
  const root = temporaryFolder();
  const folder = path.join(root, "photos");
  mkdirSync(folder);
  const names = readdirSync(photos).filter((name) => name.endsWith(".jpg"));
  for (const name of names) copyFileSync(path.join(photos, name), path.join(folder, name));
  const source = () => sharp(path.join(photos, "china.jpg"));
  const { width, height } = await source().metadata();
  const [w, h] = [Math.round(width * 0.9), Math.round(height * 0.9)];
  await source().jpeg({ quality: 30 }).toFile(path.join(folder, "saved.jpg"));
  await source().resize(200).png().toFile(path.join(folder, "scaled.png"));
  await source().webp({ quality: 70 }).toFile(path.join(folder, "converted.webp"));
  await source().extract({ left: 10, top: 12, width: w, height: h }).toFile(path.join(folder, "cut.jpg"));
  await source().greyscale().toFile(path.join(folder, "grey.jpg"));
  const place = { root, images: "photos", indexFile: path.join(root, "index.sqlite"), maxPixels: 1e9 };
  const steps: number[] = [];
  const found = async () => {
    await indexDataset(place);
    const index = openIndex(place.indexFile);
    const twins = await findTwins({ ...place, onProgress: ({ done }) => steps.push(done) });
    const name = (hash: string) => path.basename(index.byHash(hash)!.path);
    const pairs = twins
      .filter(({ alike }) => alike >= 0.95)
      .map(({ a, b }) => [name(a), name(b)].sort().join(" "));
    index.close();
    return pairs.sort();
  };
  const versions = ["china.jpg", "converted.webp", "cut.jpg", "grey.jpg", "saved.jpg", "scaled.png"];
  const first = await found();
  const withSource = versions.slice(1).map((name) => `china.jpg ${name}`);
  expect(first).toEqual(expect.arrayContaining(withSource));
  for (const pair of first) for (const name of pair.split(" ")) expect(versions).toContain(name);
  expect(steps.length).toBe(names.length + 5);
  // Only what is new is looked at, and it is compared with what was there.
  await sharp(path.join(photos, "coffee.jpg")).resize(150).toFile(path.join(folder, "coffee-small.jpg"));
  rmSync(path.join(folder, "grey.jpg"));
  const second = await found();
  expect(steps.length).toBe(names.length + 6);
  expect(second).toEqual(
    [...first.filter((pair) => !pair.includes("grey")), "coffee-small.jpg coffee.jpg"].sort(),
  );
});

/** As the index keeps them: `windows.length * words` numbers an image. */
function signaturesOf(values: Uint32Array) {
  const each = windows.length * words;
  const wholes = new Uint32Array((values.length / each) * words);
  for (let i = 0; i < values.length / each; i++)
    wholes.set(values.subarray(i * each, i * each + words), i * words);
  return { wholes, windowsOf: (i: number) => values.subarray(i * each, (i + 1) * each) };
}

it("the index of hashes finds what a comparison of all with all finds, up to 7 bits", async () => {
  const each = windows.length * words;
  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const flips = fc.uniqueArray(fc.nat(63), { maxLength: 7 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(word, word), { minLength: 2, maxLength: 6 }),
      flips,
      fc.nat(windows.length - 1),
      fc.boolean(),
      async (hashes, bits, window, fresh) => {
        const count = hashes.length + 1;
        const values = new Uint32Array(count * each);
        for (const [i, hash] of hashes.entries())
          for (let n = 0; n < windows.length; n++)
            values.set([hash[0] + 7919 * n, hash[1] - 104_729 * n], i * each + n * words);
        const copy = values.slice(window * words, window * words + words);
        for (const bit of bits) copy[bit >> 5]! ^= 1 << (bit & 31);
        values.set(copy, hashes.length * each);
        const isFresh = new Uint8Array(count).fill(fresh ? 1 : 0);
        isFresh[hashes.length] = 1;
        const found: string[] = [];
        for await (const { whole, part } of candidates(signaturesOf(values), isFresh))
          found.push(`${whole} ${part}`);
        expect(found).toContain(`0 ${hashes.length}`);
      },
    ),
    { numRuns: 20 },
  );
});

it("frames of a film are compared with some of the others only, and are one family all the same", async () => {
  const count = 400;
  const values = new Uint32Array(count * windows.length * words).fill(0x9d2c5680);
  const linked = new Set<number>();
  let pairs = 0;
  const all = new Uint8Array(count).fill(1);
  for await (const { whole, part } of candidates(signaturesOf(values), all)) {
    pairs += 1;
    linked.add(whole).add(part);
  }
  expect(pairs).toBe(64 * count);
  expect(linked.size).toBe(count);
});
