/** Where an image stands among the scored ones. */
export interface Rank {
  /** Share of them that are worse, equal ones counting half, 0..1. */
  share: number;
  /** How many are scored. */
  of: number;
}

/** An image with all that is known of its quality. Scores are on the scorer's scale, the teacher's and a person's on 1..5. */
export interface ImageRow {
  hash: string;
  /** Relative to the config's folder, with forward slashes. */
  path: string;
  uri: string;
  width: number;
  height: number;
  format: string;
  size: number;
  split: "train" | "val" | "test";
  score: number | null;
  /** Standard deviation of a person's score around it, on its scale; absent where the scorer has no error bars. */
  sd?: number;
  /** Null where too few are scored to say. */
  rank: Rank | null;
  /** Unlike the images the student was distilled on; null or absent where it cannot tell. */
  far?: boolean | null;
  /** The targets beside the main one, whose scores all others here are; absent where there are none. */
  targets?: TargetView[];
  teacher: PointView | null;
  /** As in the MOS file, on its own range. */
  mos: number | null;
  /** Standard deviation of the opinions behind the MOS, on its scale; absent where it is not known. */
  mosStd?: number;
  /** |score − teacher|, both on 1..5. */
  disagreement: number | null;
  /** URI of a small picture, once there is one; ask `leaf/thumbnails` for it otherwise. */
  thumbnail: string | null;
  /** A link leads to it out of the project's folder: its file is not shown, only pictures that are made of it. */
  linkedOut?: boolean;
  /** It is one of so many that are the same picture saved, scaled, cut or converted again; groups are numbered from 1, the largest first. */
  twins?: { number: number; images: number };
}

/** What is known of a target of an image, on its own scale. */
export interface TargetView {
  name: string;
  /** Null where it is not scored, or not learnt. */
  score: number | null;
  sd?: number;
  mos: number | null;
  scale: [number, number];
  lowerIsBetter: boolean;
}

/** Where the student saw high and low quality in an image. */
export interface HeatView {
  /** URI of the image with the heat map on it, longest side 320 px. */
  small: string;
  /** URI of a transparent PNG of the image's shape, to lay over it: orange lowers the quality, blue raises it, dark was not looked at. */
  overlay: string;
  /** What orange's end, no colour and blue's end stand for, on the scorer's scale; the middle is the score. */
  legend: [number, number, number];
  lowerIsBetter: boolean;
}

export interface PointView {
  score: number;
  /** excellent, good, fair, poor, bad; null for a person's score. */
  probabilities: [number, number, number, number, number] | null;
  confidence: number;
  /** A person's score stands in the teacher's place. */
  human: boolean;
  /** What limits the quality, in the teacher's words; no part of the score. */
  reason?: string;
}

/** A labelled pair; `p` is P(a better). */
export interface PairRow {
  a: ImageRow;
  b: ImageRow;
  p: number;
  /** As asked in each order; null where only a person judged. */
  pAB: number | null;
  pBA: number | null;
  positionBias: number | null;
  confidence: number;
  kept: boolean;
  /** A person's P(a better), in the teacher's place; null where the teacher's stands. */
  human: number | null;
  /** The student prefers the other image. */
  studentDisagrees: boolean | null;
}

export type ImageSort = "path" | "score" | "mos" | "teacher" | "disagreement" | "modified" | "similar";

export interface ImageQuery {
  /** By score, MOS and teacher ascending is worst first, also where lower is better; what is unknown comes last. `similar`: those alone that have a near duplicate, by groups. */
  sort: ImageSort;
  descending: boolean;
  /** Sorts and filters by scores and MOS of this target; by the main one's where the scorer has none of this name. */
  target?: string;
  /** Part of the path. */
  text?: string;
  score?: [number, number];
  mos?: "rated" | "unrated";
  split?: "train" | "val" | "test";
  /** Only those unlike the images the student was distilled on. */
  far?: true;
  /** Hash of an image: answers the page of `limit` rows that holds it, and says where that starts, if the query finds it. */
  around?: string;
  offset: number;
  limit: number;
}

export interface PairQuery {
  show: "all" | "kept" | "discarded" | "disagreement" | "human";
  confidence?: [number, number];
  /** Hash of an image: only its pairs. */
  image?: string;
  sort: "confidence" | "bias" | "disagreement" | "sampled";
  descending: boolean;
  offset: number;
  limit: number;
}

export interface Page<T> {
  rows: T[];
  total: number;
  /** Place of the first row, where the query asked `around` an image and found it. */
  offset?: number;
}
