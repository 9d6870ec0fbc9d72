import type { Tree } from "../../src/engine/experiments/overrides.ts";

/** A way to a student, as settings over the base. */
export interface Arm {
  id: string;
  name: string;
  set: Tree;
  /** Takes labels of the teacher, and so the time of a distillation. */
  distils: boolean;
  /** Takes human ratings. */
  ratings: boolean;
  /** Fine-tunes for minutes: fewer draws. */
  dear: boolean;
}

/** `cft-only`'s own recipe (assets/experiments): a bare backbone needs higher rates and more passes. */
const fromBackbone: Tree = {
  from: "backbone",
  headOnlyBelow: 0,
  epochs: 40,
  lr: { backbone: 5e-4, head: 1.5e-3 },
};

export const arms: readonly Arm[] = [
  { id: "tgd", name: "TGD, no ratings", set: {}, distils: true, ratings: false, dear: false },
  {
    id: "cft",
    name: "CFT only (fine-tuned backbone)",
    set: { calibrate: fromBackbone },
    distils: false,
    ratings: true,
    dear: true,
  },
  {
    id: "published",
    name: "TGD + CFT as published (fine-tuned)",
    set: { "calibrate.from": "distill" },
    distils: true,
    ratings: true,
    dear: true,
  },
];
