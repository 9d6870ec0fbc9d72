import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { LeafError } from "../../src/engine/base/errors.ts";
import { randomInt } from "../../src/engine/base/random.ts";
import { indexDataset } from "../../src/engine/dataset/dataset.ts";
import { openLabels, type PairRow, type PointRow } from "../../src/engine/labels/labels.ts";
import { picture } from "../support/pictures.ts";
import { mutated } from "./support/mutate.ts";
import { temporaryFolder, trials, within } from "./support/trials.ts";

// Damaged databases: what they still hold, or one sentence. The index is a cache: damaged, it is made again.

const hashes = Array.from({ length: 60 }, (_, i) => i.toString(16).padStart(32, "0"));
let labels: Buffer;

beforeAll(() => {
  const file = path.join(temporary(), "labels.sqlite");
  const store = openLabels(file);
  store.registerTeacher({ fingerprint: "t", kind: "fake", description: { model: "m" } });
  store.putPoints(
    "t",
    hashes.map((image, i): PointRow => {
      const probabilities = [0.1, 0.2, 0.4, 0.2, 0.1] as PointRow extends { probabilities: infer P }
        ? P
        : never;
      return { image, ok: true, score: 3, probabilities, mass: 0.9, confidence: i / 60 };
    }),
  );
  store.putPairs(
    "t",
    hashes.slice(1).map((b, i): PairRow => {
      const p = 0.5 + i / 200;
      return { a: hashes[i]!, b, ok: true, p, pAB: p, pBA: p, positionBias: 0, confidence: 0.3 };
    }),
  );
  store.close();
  labels = readFileSync(file);
});

function temporary(): string {
  const dir = path.join(process.env.TMPDIR ?? "/tmp", `leaf-faults-store-${process.pid}`);
  mkdirSync(dir, { recursive: true });
  return dir;
}

test("a damaged label store is read, or one sentence says what is wrong", {
  timeout: 3_600_000,
}, async () => {
  const dir = temporaryFolder();
  await trials("label stores", 400, (random, keep) => {
    const file = path.join(dir, `${randomInt(random, 1e9)}.sqlite`);
    const damaged = mutated(random, labels);
    keep(damaged);
    writeFileSync(file, damaged);
    let store: ReturnType<typeof openLabels> | undefined;
    try {
      store = openLabels(file);
      for (const { score, confidence } of store.points("t")) {
        expect(score >= 1 && score <= 5).toBe(true);
        expect(confidence >= 0 && confidence <= 1).toBe(true);
      }
      for (const { p } of store.pairs("t")) expect(p >= 0 && p <= 1).toBe(true);
      store.counts("t", 0.1);
      store.teachers();
      store.registerTeacher({ fingerprint: "u", kind: "fake", description: {} });
      store.putPoints("u", [{ image: hashes[0]!, ok: false, reason: "none" }]);
    } catch (error) {
      if (!(error instanceof LeafError)) throw error;
      expect(["failed", "input"]).toContain(error.code);
      expect(error.message).not.toContain("\n");
    } finally {
      store?.close();
    }
  });
});

test("a damaged index is made again, with every image", { timeout: 3_600_000 }, async () => {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "photos"));
  for (let i = 0; i < 12; i++)
    await picture(20, 20, i)
      .png()
      .toFile(path.join(root, "photos", `${i}.png`));
  const indexFile = path.join(root, "index.sqlite");
  const place = { root, images: "photos", indexFile };
  await indexDataset(place);
  const whole = path.join(root, "whole");
  copyFileSync(indexFile, whole);
  await trials("indexes", 80, async (random, keep) => {
    const damaged = mutated(random, readFileSync(whole));
    keep(damaged);
    writeFileSync(indexFile, damaged);
    expect(await within(30, indexDataset(place))).toMatchObject({ files: 12, images: 12, failed: 0 });
  });
});
