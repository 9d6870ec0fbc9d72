import path from "node:path";
import { avaColumns } from "../tables/headless.ts";

/** What is known of one column of scores. */
export interface ScoreFacts {
  /** Lowest and highest possible score; undefined where the files of a format differ. */
  range?: readonly [lowest: number, highest: number];
  /** Difference scores, where the lowest is best. */
  lowerIsBetter?: boolean;
  /** Column with the standard deviation of the opinions, on the scale of the score. */
  std?: string;
  /** Column with their number. */
  count?: string;
}

type Cell = (column: string) => string;

/** The layout in which a dataset publishes its scores. */
export interface MosFormat {
  title: string;
  /** Columns that tell it, all of them; `named`: and such a file name, where the columns say too little. */
  has: readonly string[];
  named?: RegExp;
  /** Column with the image's name. */
  image: string;
  /** Columns that count the votes for each grade, the lowest first, where they and no score are published. */
  votes?: readonly string[];
  /** The columns of scores, the usual one first. */
  scores: Readonly<Record<string, ScoreFacts>>;
  /** Column whose images never share two splits: the distorted versions of one reference. */
  groupBy?: string;
  /** Columns that the file does not have, made from those it has. */
  derived?: Readonly<Record<string, { from: readonly string[]; value: (cell: Cell) => string }>>;
  /** Column with the official split. */
  split?: string;
}

const distortionsOfCsiq: Record<string, string> = {
  noise: "AWGN",
  blur: "BLUR",
  jpeg: "JPEG",
  "jpeg 2000": "jpeg2000",
};

/** In the order in which they are tried. Sources and doubts: docs/datasets.md. */
export const mosFormats = {
  koniq10k: {
    title: "KonIQ-10k",
    has: ["image_name", "c1", "c5", "MOS", "MOS_zscore"],
    image: "image_name",
    scores: {
      MOS: { range: [1, 5], std: "SD", count: "c_total" },
      MOS_zscore: { range: [0, 100], count: "c_total" },
    },
  },
  "koniq10k-sets": {
    title: "KonIQ-10k with its official split",
    has: ["image_name", "c1", "c5", "MOS", "set"],
    image: "image_name",
    // Here the MOS is rescaled; on which scale the SD is, the file does not say.
    scores: { MOS: { range: [0, 100], count: "c_total" } },
    split: "set",
  },
  spaq: {
    title: "SPAQ",
    has: ["Image name", "MOS", "Brightness", "Sharpness"],
    image: "Image name",
    scores: {
      MOS: { range: [0, 100] },
      Brightness: { range: [0, 100] },
      Colorfulness: { range: [0, 100] },
      Contrast: { range: [0, 100] },
      Noisiness: { range: [0, 100] },
      Sharpness: { range: [0, 100] },
    },
  },
  agiqa3k: {
    title: "AGIQA-3K",
    has: ["name", "prompt", "mos_quality"],
    image: "name",
    scores: {
      mos_quality: { range: [0, 5], std: "std_quality" },
      mos_align: { range: [0, 5], std: "std_align" },
    },
  },
  aigiqa20k: {
    title: "AIGIQA-20K",
    has: ["name", "prompt", "mos"],
    named: /^info(_train|_val|_test)?\.csv$/i,
    image: "name",
    scores: { mos: { range: [0, 5] } },
  },
  kadid10k: {
    title: "KADID-10k",
    has: ["dist_img", "dmos"],
    image: "dist_img",
    // Despite its name 5 is best: ratings of degradation, 5 imperceptible. "var" holds standard deviations.
    scores: { dmos: { range: [1, 5], std: "var" } },
    groupBy: "ref_img",
  },
  csiq: {
    title: "CSIQ",
    has: ["image", "dst_type", "dst_lev", "dmos"],
    image: "file",
    scores: { dmos: { range: [0, 1], lowerIsBetter: true, std: "dmos_std" } },
    groupBy: "image",
    derived: {
      file: {
        from: ["image", "dst_type", "dst_lev"],
        value: (cell) => {
          const type = cell("dst_type");
          return `${cell("image")}.${distortionsOfCsiq[type.toLowerCase()] ?? type}.${cell("dst_lev")}.png`;
        },
      },
    },
  },
  tid2013: {
    title: "TID2013",
    has: ["mos", "image"],
    named: /^mos_with_names/i,
    image: "image",
    scores: { mos: { range: [0, 9] } },
    groupBy: "reference",
    // "I01_01_1.bmp" shows reference I01; the case differs from line to line.
    derived: {
      reference: { from: ["image"], value: (cell) => cell("image").split("_", 1)[0]!.toUpperCase() },
    },
  },
  livec: {
    title: "LIVE In the Wild Challenge",
    has: ["image", "mos"],
    named: /^(livec|clive|live[_-]?challenge)(?![a-z])/i,
    image: "image",
    scores: { mos: { range: [0, 100], std: "std" } },
  },
  ava: {
    title: "AVA",
    has: avaColumns,
    image: "image_id",
    votes: avaColumns.slice(2, 12),
    scores: { votes: { range: [1, 10] } },
  },
  pyiqa: {
    title: "pyiqa list",
    has: ["img_name", "mos"],
    image: "img_name",
    scores: { mos: { std: "std" } },
  },
  "pyiqa-fr": {
    title: "pyiqa list with references",
    has: ["ref_name", "dist_name", "mos"],
    image: "dist_name",
    scores: { mos: { std: "std" } },
    groupBy: "ref_name",
  },
  deqa: {
    title: "DeQA-Score list",
    has: ["image", "gt_score_norm"],
    image: "image",
    scores: { gt_score_norm: { range: [1, 5], std: "std_norm" } },
  },
  qalign: {
    title: "Q-Align and Compare2Score list",
    has: ["image", "gt_score"],
    image: "image",
    scores: { gt_score: { std: "std" } },
  },
} as const satisfies Record<string, MosFormat>;

export type MosFormatName = keyof typeof mosFormats;

/** The names that `mos.format` takes: `columns` is any file whose columns the config names. */
export const mosFormatNames = ["columns", ...(Object.keys(mosFormats) as MosFormatName[])] as const;

/** The facts of a format; undefined for `columns` and where none is named. */
export function factsOf(name: string | undefined): MosFormat | undefined {
  return name !== undefined && Object.hasOwn(mosFormats, name)
    ? mosFormats[name as MosFormatName]
    : undefined;
}

/** The format of a file, told by its columns and, where they say too little, its name. */
export function recognise(file: string, columns: readonly string[]): MosFormatName | undefined {
  const names = Object.keys(mosFormats) as MosFormatName[];
  return names.find((name) => {
    const { has, named }: MosFormat = mosFormats[name];
    return (
      has.every((column) => columns.includes(column)) &&
      (named === undefined || named.test(path.basename(file)))
    );
  });
}
