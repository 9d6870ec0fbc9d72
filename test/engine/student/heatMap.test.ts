import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it, onTestFinished } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { diverging, oklabToRgb } from "../../../src/engine/images/diverging.ts";
import { prepare, viewPlaces, views } from "../../../src/engine/images/views.ts";
import { heatFiles } from "../../../src/engine/scoring/pictureFiles.ts";
import { createScorerProcess } from "../../../src/engine/scoring/process.ts";
import {
  colourLegend,
  colourReach,
  type HeatMap,
  heatMap,
  localScore,
} from "../../../src/engine/student/heatMap.ts";
import { heatOverlay, heatPicture } from "../../../src/engine/student/heatPicture.ts";
import { judgePicture, openStudent } from "../../../src/engine/student/student.ts";
import type { StudentCard } from "../../../src/protocol/student.ts";
import { heatOf } from "../../../src/server/images/score.ts";
import type { LiveProject } from "../../../src/server/project.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const studentDir = path.resolve("test/fixtures/student");
const expected = JSON.parse(readFileSync(path.join(studentDir, "expected.json"), "utf8")) as {
  corners: [number, number][];
  maps: number[][][];
  score: number;
  distance: number;
};

/** As in make_student.py. */
function fixturePicture() {
  const [width, height] = [64, 48];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = (3 * x + 20 * c + (y > 20 ? 70 : 0)) % 256;
  return { width, height, data };
}

async function fixtureStudent(change: (card: StudentCard) => void = () => {}) {
  const dir = temporaryFolder();
  cpSync(studentDir, dir, { recursive: true });
  const card = JSON.parse(readFileSync(path.join(dir, "student.json"), "utf8")) as StudentCard;
  change(card);
  writeFileSync(path.join(dir, "student.json"), JSON.stringify(card));
  const student = await openStudent(dir);
  onTestFinished(() => student.close());
  return student;
}

describe("a heat map", () => {
  it("is PyTorch's, in the places where the views lie", async () => {
    const map = await heatMap(await fixtureStudent(), fixturePicture());
    expect(map.views.map(({ place }) => [place.y, place.x])).toEqual(expected.corners);
    for (const [i, view] of map.views.entries()) {
      expect([view.place.width, view.place.height, view.rows, view.columns]).toEqual([32, 32, 2, 2]);
      const wanted = expected.maps[i]!.flat();
      for (const [j, one] of view.scores.entries()) expect(Math.abs(one - wanted[j]!)).toBeLessThan(1e-4);
    }
    expect(map.score).toBeCloseTo(expected.score, 4);
    expect(map.reach).toBeCloseTo(
      Math.max(...expected.maps.flat(2).map((one) => Math.abs(one - expected.score))),
      4,
    );
  });

  it("is on the MOS scale once calibrated, and its mean is the score", async () => {
    const student = await fixtureStudent((card) => {
      card.mosScale = { range: [0, 100], lowerIsBetter: true };
    });
    const map = await heatMap(student, fixturePicture());
    const all = map.views.flatMap((view) => view.scores);
    expect(map).toMatchObject({ scale: [0, 100], lowerIsBetter: true });
    expect(map.score).toBeCloseTo(100 - 25 * (expected.score - 1), 3);
    expect(all.reduce((sum, one) => sum + one, 0) / all.length).toBeCloseTo(map.score, 3);
  });

  it("is refused from a student of before, with what to do", async () => {
    const student = await fixtureStudent();
    const old = await openStudent(path.resolve("test/fixtures/student-0.1"));
    onTestFinished(() => old.close());
    await expect(heatMap(old, fixturePicture())).rejects.toMatchObject({
      code: "input",
      remedy: expect.stringContaining("leaf distill"),
    });
    const [before, now] = [
      await judgePicture(old, fixturePicture()),
      await judgePicture(student, fixturePicture()),
    ];
    expect(before).toEqual({ score: now.score, distance: null });
  });
});

describe("places of views", () => {
  it("hold the pixels that the student sees", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 20, max: 260 }),
        fc.integer({ min: 20, max: 260 }),
        fc.constantFrom(null, 32, 50),
        fc.constantFrom<1 | 5>(1, 5),
        async (width, height, resize, count) => {
          const input = { resize, crop: 32, views: count };
          // Red says where a pixel lies from left to right, green from top to bottom.
          const data = new Uint8Array(width * height * 3);
          for (let y = 0; y < height; y++)
            for (let x = 0; x < width; x++) {
              data[(y * width + x) * 3] = Math.round((255 * (x + 0.5)) / width);
              data[(y * width + x) * 3 + 1] = Math.round((255 * (y + 0.5)) / height);
            }
          const { pixels } = views(await prepare({ width, height, data }, input), input);
          const places = viewPlaces(width, height, input);
          expect(places).toHaveLength(count);
          for (const [i, place] of places.entries()) {
            const centre = i * 32 * 32 * 3 + (16 * 32 + 16) * 3;
            const [u, v] = [place.x + (place.width * 16.5) / 32, place.y + (place.height * 16.5) / 32];
            expect(Math.abs(pixels[centre]! - (255 * u) / width)).toBeLessThan(6);
            expect(Math.abs(pixels[centre + 1]! - (255 * v) / height)).toBeLessThan(6);
            expect(place.x).toBeGreaterThanOrEqual(0);
            expect(place.y).toBeGreaterThanOrEqual(0);
            expect(place.x + place.width).toBeLessThanOrEqual(width + 1e-6);
            expect(place.y + place.height).toBeLessThanOrEqual(height + 1e-6);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("its picture", () => {
  const map: HeatMap = {
    score: 3,
    scale: [1, 5],
    lowerIsBetter: false,
    width: 80,
    height: 40,
    views: [{ place: { x: 20, y: 0, width: 40, height: 40 }, rows: 2, columns: 2, scores: [2, 4, 3, 3] }],
    reach: 1,
  };
  const image = { width: 80, height: 40, data: new Uint8Array(80 * 40 * 3).fill(128) };

  async function pixel(png: Buffer, x: number, y: number): Promise<number[]> {
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    const at = (y * info.width + x) * info.channels;
    return [...data.subarray(at, at + info.channels)];
  }

  it("is orange where quality is low, blue where it is high, clear at the score, dark outside", async () => {
    const overlay = await heatOverlay(map, 80);
    const [low, high, outside] = await Promise.all([
      pixel(overlay, 22, 2),
      pixel(overlay, 57, 2),
      pixel(overlay, 5, 20),
    ]);
    expect(low[0]! - low[2]!).toBeGreaterThan(100);
    expect(high[2]! - high[0]!).toBeGreaterThan(100);
    expect((await pixel(overlay, 40, 39))[3]).toBeLessThan(20);
    expect(outside).toEqual([20, 20, 20, 153]);
    // Where lower is better the same numbers mean the opposite.
    const reversed = await pixel(await heatOverlay({ ...map, lowerIsBetter: true }, 80), 22, 2);
    expect(reversed[2]! - reversed[0]!).toBeGreaterThan(100);
  });

  it("has the image's shape, no more than it is given, and a legend only where asked", async () => {
    const size = async (png: Buffer) => {
      const { width, height } = await sharp(png).metadata();
      return [width, height];
    };
    expect(await size(await heatOverlay(map, 1000))).toEqual([80, 40]);
    expect(await size(await heatPicture(image, map, { longestSide: 40, legend: false }))).toEqual([40, 20]);
    expect(await size(await heatPicture(image, map, { longestSide: 80, legend: true }))).toEqual([80, 80]);
  });

  it("interpolates between cells, averages overlaps and knows where nobody looked", () => {
    expect(localScore(map, 30, 10)).toBe(2);
    expect(localScore(map, 40, 10)).toBe(3);
    expect(localScore(map, 40, 20)).toBe(3);
    expect(localScore(map, 10, 10)).toBeUndefined();
    const second = { place: { x: 20, y: 0, width: 20, height: 20 }, rows: 1, columns: 1, scores: [5] };
    expect(localScore({ ...map, views: [...map.views, second] }, 30, 10)).toBe(3.5);
  });

  it("says what the colours stand for, orange first", () => {
    expect(colourLegend(map)).toEqual([2, 3, 4]);
    expect(colourLegend({ ...map, lowerIsBetter: true })).toEqual([4, 3, 2]);
  });

  it("does not blow up differences that mean nothing", () => {
    expect(colourReach({ ...map, reach: 1e-6 })).toBeCloseTo(0.04, 12);
    expect(colourReach(map)).toBe(1);
  });
});

describe("the colours", () => {
  it("are OKLab's: white, black and sRGB red have the published coordinates", () => {
    expect(oklabToRgb([1, 0, 0])).toEqual([255, 255, 255]);
    expect(oklabToRgb([0, 0, 0])).toEqual([0, 0, 0]);
    expect(oklabToRgb([0.627955, 0.224863, 0.125846])).toEqual([255, 0, 0]);
  });

  it("run from orange over grey to blue and stop at the ends", () => {
    expect(diverging(-7)).toEqual(diverging(-1));
    const [r, g, b] = diverging(0);
    expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThanOrEqual(1);
    expect(diverging(-1)[0]).toBeGreaterThan(diverging(-1)[2]);
    expect(diverging(1)[2]).toBeGreaterThan(diverging(1)[0]);
  });
});

describe("the scoring process", () => {
  const scorer = createScorerProcess({ entry: path.resolve("src/engine/scoring/main.ts") });
  const by = { kind: "student" as const, fingerprint: "mean", dir: studentDir, card: null, run: "r1" };

  it("writes the pictures and, last, the figures; refuses a scorer without heat maps", async () => {
    onTestFinished(() => scorer.close());
    const dir = temporaryFolder();
    const file = path.join(dir, "a.png");
    const { width, height, data } = fixturePicture();
    const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    writeFileSync(file, bytes);
    const image = { hash: hashBytes(bytes), path: file };
    const files = heatFiles(dir, image.hash, by.fingerprint);
    expect(await scorer.heat(by, { ...image, files })).toEqual(files);
    const figures = JSON.parse(readFileSync(files.figures, "utf8")) as HeatMap;
    expect(figures.views[0]!.scores[3]).toBeCloseTo(expected.maps[0]![1]![1]!, 4);
    expect((await sharp(files.overlay).metadata()).channels).toBe(4);
    expect((await sharp(files.small).metadata()).width).toBe(64);
    const embedded = { kind: "embedded" as const, fingerprint: "t", dir: null, card: null, run: null };
    const none = heatFiles(dir, image.hash, "t");
    await expect(scorer.heat(embedded, { ...image, files: none })).rejects.toMatchObject({ code: "input" });
    expect(existsSync(none.figures)).toBe(false);
  });

  it("is not asked for what a student of before cannot give; the refusal names the student and the way out", async () => {
    const dir = path.resolve("test/fixtures/student-0.1");
    const card = JSON.parse(readFileSync(path.join(dir, "student.json"), "utf8")) as StudentCard;
    const project = { context: async () => ({ scorer: { ...by, dir, card } }) } as unknown as LiveProject;
    await expect(heatOf(scorer, project, { hash: "h", file: "a.png" })).rejects.toMatchObject({
      code: "input",
      message: "The student r1 · distilled, not calibrated was made before students had heat maps.",
      remedy: expect.stringContaining("distill"),
    });
  });
});
