import type { Tree } from "../../src/engine/experiments/overrides.ts";

/** A way to a student, as settings over the base. */
export interface Arm {
  id: string;
  name: string;
  /** The first that the measured LEAF knows: former releases lack newer keys. */
  sets: readonly Tree[];
  /** Takes labels of the teacher, and so the time of a distillation. */
  distils: boolean;
  /** Whose scores are measured. */
  stage: "teacher" | "distill" | "calibrate";
  /** Fine-tunes for minutes: fewer draws. */
  dear: boolean;
}

/** The preset cft-only's recipe (assets/experiments): a bare backbone needs higher rates and more passes. */
const backbone: Tree = {
  from: "backbone",
  headOnlyBelow: 0,
  epochs: 40,
  lr: { backbone: 5e-4, head: 1.5e-3 },
};

const fineTune = { method: "fine-tune" };
const alone = { loss: { teacher: 0 } };
const distilled = { from: "distill" };

export const arms: readonly Arm[] = [
  { id: "tgd", name: "TGD, no ratings", sets: [{}], distils: true, stage: "distill", dear: false },
  // After the student, whose test images it is measured on.
  {
    id: "teacher",
    name: "the teacher itself, no ratings",
    sets: [{}],
    distils: true,
    stage: "teacher",
    dear: false,
  },
  {
    id: "cft",
    name: "CFT only: the backbone fine-tuned",
    sets: [{ ...backbone, ...fineTune, ...alone }, { ...backbone, ...fineTune }, backbone].map(calibrate),
    distils: false,
    stage: "calibrate",
    dear: true,
  },
  {
    id: "ridge",
    name: "closed form on the backbone's features, no distillation",
    sets: [calibrate({ from: "backbone", method: "closed-form" })],
    distils: false,
    stage: "calibrate",
    dear: false,
  },
  {
    id: "published",
    name: "TGD + CFT as published: fine-tuned",
    sets: [{ ...distilled, ...fineTune, ...alone }, { ...distilled, ...fineTune }, distilled].map(calibrate),
    distils: true,
    stage: "calibrate",
    dear: true,
  },
  {
    id: "joint",
    name: "TGD + CFT with the teacher kept in the loss",
    sets: [
      { ...distilled, ...fineTune, loss: { teacher: 1 } },
      { ...distilled, loss: { teacher: 1 } },
    ].map(calibrate),
    distils: true,
    stage: "calibrate",
    dear: true,
  },
  {
    id: "head",
    name: "TGD + closed form",
    sets: [calibrate({ from: "distill", method: "closed-form" })],
    distils: true,
    stage: "calibrate",
    dear: false,
  },
  {
    id: "best",
    name: "TGD + the better of both, by cross-validation",
    sets: [calibrate({ method: "best" })],
    distils: true,
    stage: "calibrate",
    dear: true,
  },
];

function calibrate(settings: Tree): Tree {
  return { calibrate: settings };
}
