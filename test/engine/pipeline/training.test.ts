import { expect, it, test } from "vitest";
import { parseConfig } from "../../../src/engine/config/read.ts";
import type { Catalog } from "../../../src/engine/dataset/catalog.ts";
import type { ImageIndex } from "../../../src/engine/dataset/dataset.ts";
import { unseen } from "../../../src/engine/dataset/seenShare.ts";
import { trainingLines, trainingOf } from "../../../src/engine/dataset/training.ts";
import { keptEpoch, trainingInputs } from "../../../src/engine/pipeline/plan/training.ts";
import { inEnglish } from "../../../src/words/text.ts";

function config(text: string) {
  const parsed = parseConfig(`images: a\n${text}`);
  if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
  return parsed.config;
}

test.each([
  ["auto", 199, "last"],
  ["auto", 200, "best"],
  ["auto", 0, "last"],
  ["best", 10, "best"],
  ["last", 1000, "last"],
] as const)("keep: %s with %i val images keeps the %s epoch", (keep, val, kept) => {
  expect(keptEpoch(keep, { counts: { train: 5, val, test: 0 } } as Catalog)).toBe(kept);
});

it("leaves a finished training fresh where all layers learn alike, as they always did", () => {
  const { distill } = config("student: { model: efficientnet-lite0 }");
  for (const later of ["layerDecay", "target"]) expect(trainingInputs(distill)).not.toHaveProperty(later);
  const { target: _, microBatch: __, ...former } = distill;
  expect(trainingInputs({ ...distill, layerDecay: 0.8 })).toEqual({ ...former, layerDecay: 0.8 });
  expect(trainingInputs({ ...distill, target: "both" })).toMatchObject({ target: "both" });
  expect(trainingInputs({ ...distill, microBatch: 4 })).toEqual(trainingInputs(distill));
});

test("what the views leave out of most pictures is told", () => {
  const of = (input: string, ...sizes: [number, number][]) => {
    const images = sizes.map(([width, height]) => ({ width, height, error: null }));
    const index = { iterate: () => images.values() } as unknown as ImageIndex;
    const found = unseen(config(`student: { input: ${input} }`), index);
    return found && inEnglish(found);
  };
  const large: [number, number] = [4000, 3000];
  // 224² of 12 megapixels.
  expect(of("{ resize: null, views: 1 }", large, large, [300, 300])).toContain("is 0.4 % of an image");
  expect(of("{ resize: null, views: 5 }", large)).toContain("is 2.1 % of an image");
  expect(of("{ resize: null }", large)).toBeUndefined();
  expect(of("{ views: 1 }", large)).toBeUndefined();
  expect(of("{ resize: null, views: 1 }", [300, 300], [400, 300], large)).toBeUndefined();
  expect(of("{ resize: null, views: 1 }")).toBeUndefined();
});

test("the settings that apply are told as numbers", () => {
  const training = trainingOf(config("distill: { batch: 8 }"));
  expect(training).toMatchObject({ family: "convnext", input: { resize: 384, views: "whole" } });
  expect(training.distill.batch).toBe(8);
  expect(trainingLines(training)).toEqual([
    "Distill: 20 epochs, 8 images a step, rates 0.00005 (backbone) and 0.0005 (head), weight decay 1e-8, layer decay 0.8; what the config leaves out is what suits convnext.",
    "Calibrate: 20 epochs, 16 images a step, rates 0.00001 (backbone) and 0.0001 (head), weight decay 1e-8, layer decay 0.8; what the config leaves out is what suits convnext.",
  ]);
});
