import path from "node:path";
import { describe, expect, it } from "vitest";
import { armConfig, arms } from "../../demo/arms.ts";
import { distort, distortions } from "../../demo/distort.ts";
import { cropPhoto, planImages } from "../../demo/images.ts";
import { cropSide, drawPlaces, photoSplits } from "../../demo/photoSplits.ts";
import { seededRandom } from "../../demo/random.ts";
import { tableText, toRow } from "../../demo/table.ts";
import { luminance, standInForMos } from "../../demo/truth.ts";
import { parseConfig } from "../../src/engine/config/read.ts";

const photos = path.join(import.meta.dirname, "../../demo/photos");

describe("the demo's images", () => {
  it("are planned alike each time, under names of their own", () => {
    const plan = planImages();
    expect(planImages()).toEqual(plan);
    expect(new Set(plan.map((one) => one.image)).size).toBe(plan.length);
    expect(plan[0]!.image).toBe("astronaut_c1_blur_1.png");
  });

  it("put no photo in two splits, and every kind and level in each", () => {
    const all = Object.values(photoSplits).flat();
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(19);
    const plan = planImages();
    for (const split of ["train", "val", "test"] as const) {
      const mine = plan.filter((one) => one.split === split);
      expect(new Set(mine.map((one) => one.photo))).toEqual(new Set(photoSplits[split]));
      expect(new Set(mine.map((one) => one.distortion))).toEqual(new Set(distortions));
    }
  });

  it("are crops inside the photo", () => {
    const places = drawPlaces(340, 200, cropSide, 5, seededRandom("x"));
    expect(places).toHaveLength(5);
    for (const { left, top } of places) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + cropSide).toBeLessThanOrEqual(340);
      expect(top).toBeGreaterThanOrEqual(0);
      expect(top + cropSide).toBeLessThanOrEqual(200);
    }
  });

  it.each(distortions)("%s: the same bytes each time, and a truth that falls with strength", async (kind) => {
    const [crop] = await cropPhoto(path.join(photos, "coffee.jpg"), "coffee", 1);
    const truths = [];
    for (const strength of [0, 0.5, 1]) {
      const once = await distort(crop!, kind, strength, seededRandom(kind));
      const again = await distort(crop!, kind, strength, seededRandom(kind));
      expect(Buffer.compare(once.data, again.data)).toBe(0);
      truths.push(standInForMos(luminance(crop!), luminance(once)));
    }
    expect(truths[0]).toBeGreaterThan(truths[1]!);
    expect(truths[1]).toBeGreaterThan(truths[2]!);
  });
});

describe("the demo's arms", () => {
  it("have valid configs that use no score but the chosen training images', and share one distilled student", () => {
    const distills = new Set<string>();
    for (const arm of arms) {
      const parsed = parseConfig(armConfig(arm, 2));
      if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
      const { calibrate, distill, label, student } = parsed.config;
      expect(calibrate).toMatchObject({ from: arm.from, ratio: arm.ratio, validate: false, seed: 2 });
      distills.add(JSON.stringify({ distill, label, student }));
    }
    expect(distills.size).toBe(1);
  });

  it("are shown with mean and range over the seeds", () => {
    const one = (seed: number, srcc: number) => ({ seed, srcc, plcc: srcc, plccRaw: srcc });
    const row = toRow("x", 308, [one(0, 0.5), one(1, 0.7), one(2, 0.6)]);
    expect(row.srcc).toBeCloseTo(0.6, 12);
    expect(tableText([row])).toContain(".600 (.500–.700)");
    expect(tableText([toRow("x", 308, [one(0, 0.5)])])).not.toContain("(");
  });
});
