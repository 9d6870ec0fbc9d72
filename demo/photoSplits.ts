import type { Random } from "./random.ts";

export type SplitName = "train" | "val" | "test";

/** Which photo belongs to which split: never two, each with colour and monochrome ones. Drawn up before any training. */
export const photoSplits: Readonly<Record<SplitName, readonly string[]>> = {
  train: [
    "astronaut",
    "bridge",
    "china",
    "nuthatch",
    "picos",
    "acanthus-mollis",
    "black-canyon",
    "camera",
    "march-pastoral",
  ],
  val: ["flower", "stream", "dust-bowl-home"],
  test: [
    "coffee",
    "paints",
    "rocket",
    "airplane-from-above",
    "allium-oreophilum",
    "french-alpine-landscape",
    "nagasaki-boats",
  ],
};

/** Crops of each photo. */
export const cropsPerPhoto: Readonly<Record<SplitName, number>> = { train: 5, val: 2, test: 4 };

/** Side of the square crops in pixels: MS-SSIM's five scales need at least 176. */
export const cropSide = 192;

export interface Place {
  left: number;
  top: number;
}

/** Draws `count` places for square crops, each the farthest of 20 candidates from those before it. */
export function drawPlaces(
  width: number,
  height: number,
  side: number,
  count: number,
  random: Random,
): Place[] {
  const places: Place[] = [];
  while (places.length < count) {
    let best: Place = { left: 0, top: 0 };
    let bestGap = -1;
    for (let i = 0; i < 20; i++) {
      const one = {
        left: Math.floor(random() * (width - side + 1)),
        top: Math.floor(random() * (height - side + 1)),
      };
      const gap = Math.min(...places.map((other) => Math.hypot(other.left - one.left, other.top - one.top)));
      if (gap > bestGap) [best, bestGap] = [one, gap];
    }
    places.push(best);
  }
  return places;
}
