import path from "node:path";
import sharp from "sharp";
import { heatOverlay } from "../../../src/engine/student/heatPicture.ts";

const photos = path.join(import.meta.dirname, "../../../demo/photos");
const made = new Map<string, Promise<Buffer>>();

/**
 * A picture for a path of the model: a real photo by the motif in its name, with the flaw in its name. All pictures of one motif,
 * flaw and size are the same, so that 20,000 of them cost little.
 */
export function picture(name: string): Promise<Buffer> {
  if (name.endsWith("-heat-overlay.png")) return overlay();
  const small = name.includes("-small.webp");
  const [, motif = "coffee", flaw = ""] = /([a-z]+)-(blur|noise|jpeg|dark)-/.exec(name) ?? [];
  const key = `${motif} ${flaw} ${small}`;
  let one = made.get(key);
  if (!one) {
    one = draw(motif, flaw, small ? 320 : 960);
    made.set(key, one);
  }
  return one;
}

let heat: Promise<Buffer> | undefined;

/** A heat map as the engine draws it: five views of a 3:2 image, quality rising from left to right, best in the middle. */
function overlay(): Promise<Buffer> {
  const side = 240;
  const views = [
    [0, 0],
    [720, 0],
    [0, 400],
    [720, 400],
    [360, 200],
  ].map(([x, y]) => ({
    place: { x: x!, y: y!, width: side, height: side },
    rows: 7,
    columns: 7,
    scores: Array.from({ length: 49 }, (_, at) => {
      const [u, v] = [x! + (side * ((at % 7) + 0.5)) / 7, y! + (side * (Math.floor(at / 7) + 0.5)) / 7];
      return 2 + u / 480 + 0.7 * Math.sin(v / 60);
    }),
  }));
  heat ??= heatOverlay(
    { score: 3, scale: [1, 5], lowerIsBetter: false, width: 960, height: 640, views, reach: 1.5 },
    768,
  );
  return heat;
}

async function draw(motif: string, flaw: string, size: number): Promise<Buffer> {
  const photo = sharp(path.join(photos, `${motif}.jpg`)).resize(size, Math.round((size * 2) / 3), {
    fit: "cover",
  });
  const scale = size / 960;
  if (flaw === "blur") photo.blur(4 * scale + 0.3);
  if (flaw === "dark") photo.linear(0.45, 0);
  if (flaw === "jpeg")
    return sharp(await photo.jpeg({ quality: 8 }).toBuffer())
      .webp()
      .toBuffer();
  return photo.webp().toBuffer();
}
