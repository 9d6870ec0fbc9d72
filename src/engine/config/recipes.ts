/**
 * What suits a student: a network that was trained for long on millions of images takes small steps, most of all in its first
 * layers. Keys that the config leaves out take these.
 *
 * ConvNeXt: its authors' fine-tuning (Liu et al., CVPR 2022: AdamW, 5e-5, weight decay 1e-8, layer decay 0.8). ConvNeXt V2: theirs (Woo
 * et al., CVPR 2023: 6.25e-4 or 8e-4 for 256 images in a step, layer decay 0.6 or 0.9, weight decay 0.05, EMA), for 32 images. Heads, which
 * are new, take ten times that. EfficientNet-Lite0: measured on the demo's validation photos. Atto begins with random weights, so it
 * has nothing to lose.
 */
export interface Recipe {
  distill: Training & { ema: number | null };
  /** From the distilled student. */
  calibrate: Training;
  /**
   * Times the rates and epochs of `calibrate`, for a network that has seen no score yet; all of it must move. Found with
   * EfficientNet-Lite0 on the demo's data: at the rates for a distilled student it hardly gets off the ground (SRCC .29 against
   * .56, 50 ratings).
   */
  fromBackbone: { rates: number; epochs: number };
  /** Pixels of the short side. */
  resize: number;
}

interface Training {
  batch: number;
  lr: { backbone: number; head: number };
  weightDecay: number;
  /** Each layer learns by this factor slower than the one above it. */
  layerDecay: number;
}

export const defaultModel = "facebook/convnext-base-224-22k-1k";

export type Family = "convnext" | "convnextv2" | "convnextv2-small" | "efficientnet-lite0" | "atto";

const fromBackbone = { rates: 5, epochs: 2 };
const lite: Recipe = {
  distill: { batch: 32, lr: { backbone: 1e-3, head: 3e-3 }, weightDecay: 0.02, layerDecay: 1, ema: null },
  calibrate: { batch: 16, lr: { backbone: 1e-4, head: 3e-4 }, weightDecay: 0.02, layerDecay: 1 },
  fromBackbone,
  resize: 384,
};

export const recipes: Record<Family, Recipe> = {
  convnext: fineTuned(5e-5, { weightDecay: 1e-8, layerDecay: 0.8, ema: null }),
  convnextv2: fineTuned(8e-5, { weightDecay: 0.05, layerDecay: 0.6, ema: 0.9999 }),
  "convnextv2-small": fineTuned(1e-4, { weightDecay: 0.05, layerDecay: 0.9, ema: 0.9999 }),
  "efficientnet-lite0": lite,
  atto: lite,
};

/** Calibration of a distilled student goes on at a fifth: it must not forget what it has learnt. */
function fineTuned(
  rate: number,
  { ema, ...decay }: { weightDecay: number; layerDecay: number; ema: number | null },
): Recipe {
  return {
    distill: { batch: 32, lr: { backbone: rate, head: scaled(rate, 10) }, ...decay, ema },
    calibrate: { batch: 16, lr: { backbone: scaled(rate, 1 / 5), head: scaled(rate, 2) }, ...decay },
    fromBackbone,
    resize: 384,
  };
}

/** Rounded: the same number as somebody would write, so that it is the same work. */
export function scaled(rate: number, factor: number): number {
  return Number((factor * rate).toPrecision(12));
}

/** By the model's name alone, which is a hub id or a folder: the config is read without a network. */
export function familyOf(model: string): Family {
  if (model === "efficientnet-lite0" || model === "atto") return model;
  const name = model.toLowerCase();
  if (!/convnext-?v2/.test(name)) return "convnext";
  return /atto|femto|pico|nano|tiny/.test(name) ? "convnextv2-small" : "convnextv2";
}

/** `calibrate` is for a distilled student; from the backbone alone: */
export function calibratedFromBackbone<T extends { epochs: number; lr: Training["lr"] }>(
  calibrate: T,
  { fromBackbone: { rates, epochs } }: Recipe,
): T & { from: "backbone"; headOnlyBelow: number } {
  const { lr } = calibrate;
  return {
    ...calibrate,
    from: "backbone",
    epochs: epochs * calibrate.epochs,
    lr: { backbone: scaled(lr.backbone, rates), head: scaled(lr.head, rates) },
    headOnlyBelow: 0,
  };
}

type Given<T> = { [K in keyof T]?: T[K] | undefined };
interface GivenTraining extends Given<Omit<Training, "lr">> {
  lr: Given<Training["lr"]>;
}

type Decode = "full" | "scaled" | undefined;

/** What the config says, and the family's where it says nothing. */
export function withRecipe<
  S extends { model: string; input: { resize?: number | null | undefined; crop: number; decode?: Decode } },
  D extends GivenTraining & { ema?: number | null | undefined },
  C extends GivenTraining & { from: string; epochs?: number | undefined; headOnlyBelow?: number | undefined },
>(student: S, distill: D, calibrate: C) {
  const recipe = recipes[familyOf(student.model)];
  const start = { ...recipe.calibrate, epochs: 20, headOnlyBelow: 30 };
  const suits = calibrate.from === "backbone" ? calibratedFromBackbone(start, recipe) : start;
  const { decode, ...input } = student.input;
  return {
    student: {
      ...student,
      input: {
        ...input,
        resize: or(input.resize, Math.max(recipe.resize, input.crop)),
        // What came later is absent where it changes nothing.
        ...(decode === "scaled" && { decode }),
      },
    },
    distill: { ...trained(distill, recipe.distill), ema: or(distill.ema, recipe.distill.ema) },
    calibrate: {
      ...trained(calibrate, suits),
      epochs: or(calibrate.epochs, suits.epochs),
      headOnlyBelow: or(calibrate.headOnlyBelow, suits.headOnlyBelow),
    },
  };
}

function trained<T extends GivenTraining>(given: T, suits: Training) {
  return {
    ...given,
    batch: or(given.batch, suits.batch),
    lr: { backbone: or(given.lr.backbone, suits.lr.backbone), head: or(given.lr.head, suits.lr.head) },
    weightDecay: or(given.weightDecay, suits.weightDecay),
    layerDecay: or(given.layerDecay, suits.layerDecay),
  };
}

/** What a key is where the config leaves it out; undefined for keys that no recipe has. `valueAt` tells what the config says elsewhere. */
export function suitable(
  path: readonly (string | number | undefined)[],
  valueAt: (path: string[]) => unknown,
): number | null | undefined {
  const [model, crop, from] = [
    valueAt(["student", "model"]),
    valueAt(["student", "input", "crop"]),
    valueAt(["calibrate", "from"]),
  ];
  const student = {
    model: typeof model === "string" ? model : defaultModel,
    input: { crop: typeof crop === "number" ? crop : 0 },
  };
  let found: unknown = withRecipe(student, { lr: {} }, { lr: {}, from: String(from) });
  for (const part of path) {
    const known = typeof found === "object" && found !== null && Object.hasOwn(found, part ?? "");
    found = known ? (found as Record<string, unknown>)[part!] : undefined;
  }
  return typeof found === "number" || found === null ? found : undefined;
}

/** Unlike `??` this keeps a null, which is a value. */
function or<T>(given: T | undefined, otherwise: T): T {
  return given === undefined ? otherwise : given;
}
