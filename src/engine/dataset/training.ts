import { plain } from "../../words/figure.ts";
import type { Config } from "../config/config.ts";
import { type Family, familyOf } from "../config/recipes.ts";

const shown = ["epochs", "batch", "lr", "weightDecay", "layerDecay"] as const;
type Shown = (typeof shown)[number];

/** The settings that depend on the student, as numbers. */
export interface Training {
  family: Family;
  input: Config["student"]["input"];
  distill: Pick<Config["distill"], Shown | "ema">;
  calibrate: Pick<Config["calibrate"], Shown | "headOnlyBelow">;
}

export function trainingOf({ student, distill, calibrate }: Config): Training {
  const part = <T extends Record<Shown, unknown>>(from: T) =>
    Object.fromEntries(shown.map((key) => [key, from[key]])) as Pick<T, Shown>;
  return {
    family: familyOf(student.model),
    input: student.input,
    distill: { ...part(distill), ema: distill.ema },
    calibrate: { ...part(calibrate), headOnlyBelow: calibrate.headOnlyBelow },
  };
}

/** A line a stage. */
export function trainingLines({ family, distill, calibrate }: Training): string[] {
  const line = (
    stage: string,
    { epochs, batch, lr, weightDecay, layerDecay }: Pick<Training["distill"], Shown>,
  ) =>
    `${stage}: ${epochs} epochs, ${batch} images a step, rates ${plain(lr.backbone, 9)} (backbone) and ${plain(lr.head, 9)} (head), ` +
    `weight decay ${plain(weightDecay, 9)}, layer decay ${plain(layerDecay)}; what the config leaves out is what suits ${family}.`;
  return [line("Distill", distill), line("Calibrate", calibrate)];
}
