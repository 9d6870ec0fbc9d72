import { scoreFigure } from "../../words/score.ts";
import type { RgbImage } from "../images/decode.ts";
import { diverging } from "../images/diverging.ts";
import { sharp } from "../images/sharp.ts";
import { colourLegend, colourReach, type HeatMap, localScore } from "./heatMap.ts";

const strongest = 0.72;
/** The veil over what the student did not look at. */
const veil = { grey: 20, alpha: 0.6 };

/** A transparent PNG to lay over the image: orange lowers the quality, blue raises it, grey was not looked at. */
export async function heatOverlay(map: HeatMap, longestSide: number): Promise<Buffer> {
  const { width, height, data } = overlayPixels(map, longestSide);
  return sharp(data, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}

/** The image with the overlay on it, as PNG; with a legend below for a picture that stands by itself. */
export async function heatPicture(
  image: RgbImage,
  map: HeatMap,
  { longestSide, legend }: { longestSide: number; legend: boolean },
): Promise<Buffer> {
  const overlay = overlayPixels(map, longestSide);
  const { width, height } = overlay;
  const raw = { width, height, channels: 4 as const };
  const under = sharp(image.data, {
    raw: { width: image.width, height: image.height, channels: 3 },
    limitInputPixels: false,
  }).resize({ width, height, fit: "fill" });
  const laid = await under
    .composite([{ input: overlay.data, raw }])
    .removeAlpha()
    .raw()
    .toBuffer();
  const picture = sharp(laid, { raw: { width, height, channels: 3 } });
  if (!legend) return picture.png().toBuffer();
  const strip = Buffer.from(legendSvg(map, width));
  return picture
    .extend({ bottom: legendHeight, background: "#ffffff" })
    .composite([{ input: strip, left: 0, top: height }])
    .png()
    .toBuffer();
}

function overlayPixels(map: HeatMap, longestSide: number): { width: number; height: number; data: Buffer } {
  const shrink = Math.min(1, longestSide / Math.max(map.width, map.height));
  const side = (length: number) => Math.max(1, Math.round(length * shrink));
  const [width, height] = [side(map.width), side(map.height)];
  const data = Buffer.alloc(width * height * 4);
  const reach = colourReach(map);
  const sign = map.lowerIsBetter ? -1 : 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      const [px, py] = [((x + 0.5) * map.width) / width, ((y + 0.5) * map.height) / height];
      const local = localScore(map, px, py);
      if (local === undefined) {
        data.fill(veil.grey, at, at + 3);
        data[at + 3] = Math.round(255 * veil.alpha);
        continue;
      }
      const value = (sign * (local - map.score)) / reach;
      data.set(diverging(value), at);
      // What hardly differs from the score leaves the image as it is.
      data[at + 3] = Math.round(255 * strongest * Math.sqrt(Math.min(1, Math.abs(value))));
    }
  }
  return { width, height, data };
}

const legendHeight = 40;

/** The colour bar with its two ends and the score, on the reported scale. */
function legendSvg(map: HeatMap, width: number): string {
  const [worse, score, better] = colourLegend(map);
  const figure = (value: number) => scoreFigure(value, map.scale);
  const [left, right] = [8, Math.max(9, width - 8)];
  const stops = Array.from({ length: 21 }, (_, i) => {
    const share = i / 20;
    return `<stop offset="${share}" stop-color="rgb(${diverging(2 * share - 1).join(",")})"/>`;
  });
  const text = (x: number, anchor: string, value: string) =>
    `<text x="${x}" y="33" text-anchor="${anchor}" font-family="sans-serif" font-size="12" fill="#222">${value}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${legendHeight}">
    <defs><linearGradient id="bar">${stops.join("")}</linearGradient></defs>
    <rect x="${left}" y="8" width="${right - left}" height="10" fill="url(#bar)"/>
    ${text(left, "start", figure(worse))}
    ${text(width / 2, "middle", `score ${figure(score)}`)}
    ${text(right, "end", figure(better))}
  </svg>`;
}
