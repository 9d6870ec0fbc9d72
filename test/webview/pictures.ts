import path from "node:path";
import sharp from "sharp";

const photos = path.join(import.meta.dirname, "../../demo/photos");
const made = new Map<string, Promise<Buffer>>();

/**
 * A picture for a path of the model: a real photo by the motif in its name, with the flaw in its name. All pictures of one motif,
 * flaw and size are the same, so that 20,000 of them cost little.
 */
export function picture(name: string): Promise<Buffer> {
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
