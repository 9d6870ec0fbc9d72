/**
 * A diverging colour map that people with colour-vision deficiencies can read: from orange (−1) over light grey (0) to blue (1),
 * straight lines in OKLab, so that equal steps look equally large (Ottosson 2020, "A perceptual color space for image processing").
 */
const ends = {
  worse: oklch(0.6, 0.16, 48),
  middle: [0.95, 0, 0] as const,
  better: oklch(0.52, 0.15, 252),
};

/** 8-bit sRGB of a value in −1..1; values beyond have the end's colour. */
export function diverging(value: number): [number, number, number] {
  const end = value < 0 ? ends.worse : ends.better;
  const share = Math.min(1, Math.abs(value));
  const mixed = end.map((to, i) => ends.middle[i]! + (to - ends.middle[i]!) * share);
  return oklabToRgb(mixed as [number, number, number]);
}

function oklch(lightness: number, chroma: number, degrees: number): [number, number, number] {
  const angle = (degrees * Math.PI) / 180;
  return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
}

/** OKLab to 8-bit sRGB, cut off at the gamut; the matrices are Ottosson's. */
export function oklabToRgb([lightness, a, b]: readonly [number, number, number]): [number, number, number] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    byteOf(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    byteOf(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    byteOf(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** Linear light to an 8-bit value (IEC 61966-2-1). */
function byteOf(light: number): number {
  const value = light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.max(0, Math.min(1, value)));
}
