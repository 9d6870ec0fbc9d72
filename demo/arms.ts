import { stringify } from "yaml";

/** One row of the table that trains something. */
export interface Arm {
  name: string;
  /** Its config in the workspace; `leaf.yaml` is the one to open first. */
  file: string;
  stage: "distill" | "calibrate";
  from: "distill" | "backbone";
  ratio: number;
  /** How it is calibrated; fine-tuning (CFT) is the paper's. */
  method: "fine-tune" | "closed-form";
  /** Only with `--full`. */
  full?: true;
}

export const teacherRow = "teacher (no labels)";

const ratios = [0.03, 0.1, 0.3];
const percent = (ratio: number) => `${Math.round(ratio * 100)} %`;
const suffix = (ratio: number) => `${Math.round(ratio * 100)}`;

type Way = Pick<Arm, "from" | "method">;
const distilled: Way = { from: "distill", method: "closed-form" };

/** Fine-tuning takes most of the time: without `--full` it is shown once, for the fewest ratings and without a teacher. */
function calibrated(name: string, prefix: string, ratio: number, way: Way): Arm {
  return {
    name: `${name}, ${percent(ratio)}`,
    file: `${prefix ? `${prefix}-${suffix(ratio)}.` : ""}leaf.yaml`,
    stage: "calibrate",
    ratio,
    ...way,
    ...(way.method === "fine-tune" && (ratio !== ratios[0] || way.from === "distill") && { full: true }),
  };
}

/** All arms, in the order of the table. The first one distils what the others of TGD start from. */
export const arms: Arm[] = [
  { ...distilled, name: "TGD, no labels", file: "leaf.yaml", stage: "distill", ratio: 0.1 },
  ...ratios.map((ratio) =>
    calibrated("TGD + closed form", ratio === 0.1 ? "" : "closed-form", ratio, distilled),
  ),
  ...ratios.map((ratio) =>
    calibrated("TGD + CFT", "tgd-cft", ratio, { from: "distill", method: "fine-tune" }),
  ),
  ...ratios.map((ratio) =>
    calibrated("CFT only", "cft-only", ratio, { from: "backbone", method: "fine-tune" }),
  ),
];

/**
 * Training settings, chosen on the validation photos alone (never on the test photos), for each way to start by itself:
 * a network that has learnt from the teacher needs lower rates than one that sees its first scores.
 */
const calibration: Record<Arm["from"], Record<string, unknown>> = {
  distill: { batch: 16, lr: { backbone: 1e-4, head: 3e-4 }, headOnlyBelow: 30 },
  backbone: { batch: 16, lr: { backbone: 5e-4, head: 1.5e-3 }, headOnlyBelow: 0 },
};

/** Few images need more passes, and a network that has seen no score needs more than one that has. */
function calibrationEpochs(from: Arm["from"], ratio: number): number {
  const [few, some, many] = from === "distill" ? [20, 20, 8] : [60, 40, 12];
  return ratio < 0.05 ? few : ratio < 0.2 ? some : many;
}

/** The text of an arm's config. */
export function armConfig({ from, ratio, name, method }: Arm, seed: number): string {
  const config = {
    images: "images",
    mos: { file: "mos.csv", image: "image", score: "mos", range: [1, 5] },
    split: { file: "mos.csv", image: "image", column: "split" },
    teacher: { kind: "embedded" },
    label: { pairsPerImage: 8, minConfidence: 0.1 },
    student: { model: "efficientnet-lite0", input: { resize: null, crop: 96, views: 5 } },
    distill: { epochs: 5, batch: 32, lr: { backbone: 1e-3, head: 3e-3 }, keep: "last", seed },
    calibrate: {
      method,
      from,
      ratio,
      ...(method === "fine-tune" && {
        epochs: calibrationEpochs(from, ratio),
        validate: false,
        ...calibration[from],
      }),
      seed,
    },
    evaluate: { split: "test" },
  };
  const note =
    `# Written by LEAF's demo: ${name}. The "MOS" are a stand-in: MS-SSIM with the pristine photo, mapped to 1..5.\n` +
    "# Try: change `calibrate.ratio` and run `leaf run`; labels and the distilled student are reused.\n";
  return note + stringify(config, { flowCollectionPadding: true, lineWidth: 110 });
}
