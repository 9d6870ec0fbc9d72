/** The scale of human scores, as in the config. */
export interface MosScale {
  range: readonly [lowest: number, highest: number];
  lowerIsBetter?: boolean;
}

/** Maps a score linearly to the student's scale, on which 5 is best and 1 is worst. */
export function mosToStudent(mos: number, { range: [lowest, highest], lowerIsBetter }: MosScale): number {
  const share = (mos - lowest) / (highest - lowest);
  return 1 + 4 * (lowerIsBetter ? 1 - share : share);
}

/** The inverse of `mosToStudent`; nothing is cut off at the ends of the range. */
export function studentToMos(score: number, { range: [lowest, highest], lowerIsBetter }: MosScale): number {
  const share = (score - 1) / 4;
  return lowest + (highest - lowest) * (lowerIsBetter ? 1 - share : share);
}
