import { expect, it, test } from "vitest";
import { configSchema } from "../../../src/engine/config/config.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";
import { familyOf, suitable } from "../../../src/engine/config/recipes.ts";

function config(text: string) {
  const parsed = parseConfig(`images: a\n${text}`);
  if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
  return parsed.config;
}

test.each([
  ["facebook/convnext-base-224", "convnext"],
  ["facebook/convnext-base-224-22k-1k", "convnext"],
  ["models/my-student", "convnext"],
  ["facebook/convnextv2-base-22k-224", "convnextv2"],
  ["facebook/convnextv2-tiny-1k-224", "convnextv2-small"],
  ["./ConvNeXt-V2-Large", "convnextv2"],
  ["efficientnet-lite0", "efficientnet-lite0"],
  ["atto", "atto"],
])("%s is of the family %s", (model, family) => {
  expect(familyOf(model)).toBe(family);
});

test.each([
  // As before for the student they were found with.
  ["efficientnet-lite0", 1e-3, 3e-3, 1e-4, 3e-4, 0.02, 1],
  ["atto", 1e-3, 3e-3, 1e-4, 3e-4, 0.02, 1],
  // What its authors fine-tune with.
  ["facebook/convnext-base-224", 5e-5, 5e-4, 1e-5, 1e-4, 1e-8, 0.8],
])(
  "%s has the rates of its family",
  (model, backbone, head, calibrated, calibratedHead, weightDecay, layerDecay) => {
    const { distill, calibrate } = config(`student: { model: ${model} }`);
    expect(distill).toMatchObject({ batch: 32, ema: null, lr: { backbone, head }, weightDecay, layerDecay });
    const lr = { backbone: calibrated, head: calibratedHead };
    expect(calibrate).toMatchObject({
      batch: 16,
      epochs: 20,
      headOnlyBelow: 30,
      lr,
      weightDecay,
      layerDecay,
    });
  },
);

it("is left out where the config says something, null and each rate by itself too", () => {
  const { distill, student } = config(
    "student: { model: facebook/convnextv2-base-1k-224, input: { resize: null } }\n" +
      "distill: { lr: { head: 0.1 }, ema: null, batch: 8 }",
  );
  expect(distill).toMatchObject({ lr: { backbone: 8e-5, head: 0.1 }, ema: null, batch: 8, layerDecay: 0.6 });
  expect(student.input).toMatchObject({ resize: null, crop: 224, views: "whole" });
  expect(config("student: { input: { crop: 512 } }").student.input.resize).toBe(512);
});

it("has a start from the backbone alone, unless the config says otherwise", () => {
  const lite = "student: { model: efficientnet-lite0 }\ncalibrate: { from: backbone";
  expect(config(`${lite} }`).calibrate).toMatchObject({
    epochs: 40,
    lr: { backbone: 5e-4, head: 1.5e-3 },
    headOnlyBelow: 0,
  });
  expect(config(`${lite}, epochs: 7, lr: { head: 1 } }`).calibrate).toMatchObject({
    epochs: 7,
    lr: { backbone: 5e-4, head: 1 },
  });
});

it("is the same when what it gave is read again, as from a run", () => {
  for (const model of ["atto", "facebook/convnextv2-tiny-1k-224"])
    for (const from of ["auto", "backbone"]) {
      const once = config(`student: { model: ${model} }\ncalibrate: { from: ${from} }`);
      expect(configSchema.parse(structuredClone(once))).toEqual(once);
    }
});

it("is told for a key of a document", () => {
  const said: Record<string, unknown> = { "student.model": "atto", "calibrate.from": "backbone" };
  const at = (key: string) => suitable(key.split("."), (path) => said[path.join(".")]);
  expect(at("distill.lr.backbone")).toBe(1e-3);
  expect(at("calibrate.epochs")).toBe(40);
  expect(at("distill.ema")).toBeNull();
  for (const key of ["distill.lr", "distill.seed", "images", "distill.lr.backbone.x", "constructor"])
    expect(at(key)).toBeUndefined();
});
