import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { resolveInterpreter } from "../../../src/engine/python/environment.ts";
import { compared, imagesForInt8, writeInt8Student } from "../../../src/engine/report/int8.ts";
import { readStudentFiles } from "../../../src/engine/student/file.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

const scores = (values: number[]) => new Map(values.map((value, i) => [`${i}`, value]));
const floats = Array.from({ length: 40 }, (_, i) => 1 + i / 10);

describe("a student in 8 bits", () => {
  it("tells how it ranks, and how far a score is off", () => {
    const integers = floats.map((score, i) => score + (i === 7 ? 0.04 : 0.01));
    const { largest, ...told } = compared(scores(floats), scores(integers));
    expect(told).toEqual({ srcc: 1, images: 40 });
    expect(largest).toBeCloseTo(0.04, 12);
  });

  it("is refused with the figure where it ranks otherwise, and where too few images can tell", () => {
    const turned = floats.map((score, i) => (i < 8 ? 1.7 - score + 1 : score));
    // By hand: 1 − 6 Σd² / (n (n² − 1)), where eight ranks are turned around: Σd² = 168.
    const srcc = 1 - (6 * 168) / (40 * (40 ** 2 - 1));
    expect(srcc).toBeLessThan(0.995);
    expect(() => compared(scores(floats), scores(turned))).toThrow(`SRCC ${srcc.toFixed(4)}`);
    expect(() => compared(scores(floats.slice(0, 19)), scores(floats))).toThrow("19 images are too few");
  });

  it("is calibrated on training images and compared on others", () => {
    const hashes = Array.from({ length: 90 }, (_, i) => `${i}`);
    const splitOf = (hash: string) => (Number(hash) % 3 === 0 ? "test" : "train") as "test" | "train";
    const { calibrating, checking } = imagesForInt8({ hashes, splitOf, pathOf: (hash) => hash });
    expect(calibrating.length).toBe(30);
    expect(calibrating.every(({ hash }) => splitOf(hash) === "train")).toBe(true);
    expect(new Set([...calibrating, ...checking].map(({ hash }) => hash)).size).toBe(90);
    expect(checking.slice(0, 30).every(({ hash }) => splitOf(hash) === "test")).toBe(true);
  });

  it("has a card that says so", async () => {
    const dir = temporaryFolder();
    const items = [];
    for (let i = 0; i < 24; i++) {
      const bytes = await picture(60, 50, i).png().toBuffer();
      writeFileSync(path.join(dir, `${i}.png`), bytes);
      items.push({ path: path.join(dir, `${i}.png`), hash: hashBytes(bytes) });
    }
    const to = path.join(dir, "int8");
    mkdirSync(to);
    const from = path.resolve("test/fixtures/student");
    const images = { calibrating: items.slice(0, 4), checking: items.slice(4) };
    const options = { interpreter: resolveInterpreter(undefined, dir) };
    await writeInt8Student(from, to, images, options);
    const { card } = await readStudentFiles(to);
    // This network has no products to round.
    expect(card.int8).toEqual({ srcc: 1, largest: 0, images: 20, calibratedOn: 4 });
    expect({ ...card, int8: undefined }).toEqual((await readStudentFiles(from)).card);
  }, 30_000);
});
