import type { OutputInfo, OverlayOptions } from "sharp";
import { sharp } from "../../images/sharp.ts";
import { dataUrl } from "./picture.ts";

/** Pixels between two images, and above them for their letters. */
const gap = 24;
const band = 48;

/** Letters of 5 × 7 dots, since a machine may have no font. Others are not drawn; the question names the sides as well. */
const dots: Record<string, string> = {
  A: "01110 10001 10001 11111 10001 10001 10001",
  B: "11110 10001 10001 11110 10001 10001 11110",
  "1": "00100 01100 00100 00100 00100 00100 01110",
  "2": "01110 10001 00001 00110 01000 10000 11111",
};

/**
 * Two images side by side on white, each under its letter, as a data URL. Neither is scaled or compressed again: PNG. `left` and `right` are
 * data URLs in ASCII.
 */
export async function sideBySide(
  [left, right]: readonly [Buffer, Buffer],
  letters: readonly [string, string],
): Promise<Buffer> {
  const images = await Promise.all(
    [left, right].map((url) =>
      sharp(bytesOf(url)).toColourspace("srgb").removeAlpha().raw().toBuffer({ resolveWithObject: true }),
    ),
  );
  const [a, b] = images.map(({ info }) => info) as [OutputInfo, OutputInfo];
  const starts = [gap, gap + a.width + gap] as const;
  const layers: OverlayOptions[] = images.flatMap(({ data, info: { width, height, channels } }, i) => [
    { input: data, raw: { width, height, channels: channels as 1 | 3 }, left: starts[i]!, top: band },
    ...marks(letters[i]!, starts[i]! + Math.floor(width / 2)),
  ]);
  const png = await sharp({
    create: {
      width: starts[1] + b.width + gap,
      height: band + Math.max(a.height, b.height) + gap,
      channels: 3,
      background: "#ffffff",
    },
  })
    .composite(layers)
    .png({ compressionLevel: 3 })
    .toBuffer();
  return dataUrl("png", png);
}

function bytesOf(url: Buffer): Buffer {
  return Buffer.from(url.toString("latin1", url.indexOf(",") + 1), "base64");
}

/** A letter in the middle of the band, of dots of 5 pixels. */
function marks(letter: string, middle: number): OverlayOptions[] {
  const rows = dots[letter.toUpperCase()]?.split(" ");
  if (!rows) return [];
  const dot = 5;
  const [width, height] = [5 * dot, 7 * dot];
  const data = Buffer.alloc(width * height * 3, 255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (rows[Math.floor(y / dot)]![Math.floor(x / dot)] === "1")
        data.fill(0, 3 * (y * width + x), 3 * (y * width + x + 1));
  return [
    {
      input: data,
      raw: { width, height, channels: 3 },
      left: Math.max(0, middle - Math.floor(width / 2)),
      top: Math.floor((band - height) / 2),
    },
  ];
}
