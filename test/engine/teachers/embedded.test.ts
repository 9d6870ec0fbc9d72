import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InferenceSession, Tensor } from "../../../src/engine/base/onnxRuntime.ts";
import { createEmbeddedTeacher } from "../../../src/engine/teachers/embedded/teacher.ts";
import { reflected, wholeView } from "../../../src/engine/teachers/embedded/view.ts";
import { expectedScore } from "../../../src/engine/teachers/judgement.ts";
import {
  normalCdf,
  preferenceProbability,
  ratingProbabilities,
  sigmaAt,
} from "../../../src/engine/teachers/probit.ts";
import type { Teacher, TeacherImage } from "../../../src/engine/teachers/teacher.ts";

const assets = path.resolve("assets/embedded-teacher");
const photo = (name: string) => readFileSync(path.resolve("demo/photos", name));

function image(bytes: Buffer, name = "test.png"): TeacherImage {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
  return { hash, name, read: async () => bytes };
}

describe("probit", () => {
  it("agrees with scipy.special.ndtr", () => {
    const known: [x: number, p: number][] = [
      [-3, 0.0013498980316300946],
      [-1.959963984540054, 0.025],
      [-0.5, 0.3085375387259869],
      [0, 0.5],
      [1, 0.8413447460685429],
      [2.5, 0.9937903346742238],
    ];
    for (const [x, p] of known) expect(Math.abs(normalCdf(x) - p)).toBeLessThan(1.2e-7);
  });

  it("cuts a normal distribution into five ratings", () => {
    // scipy: diff(ndtr((array([-inf, 1.5, 2.5, 3.5, 4.5, inf]) - 3.2) / 0.7)) from bad to excellent
    const expected = [0.0075792194, 0.1510760345, 0.5072271752, 0.3024721548, 0.0316454161].reverse();
    const p = ratingProbabilities(3.2, 0.7, [1.5, 2.5, 3.5, 4.5]);
    for (const [i, value] of expected.entries()) expect(p[i]).toBeCloseTo(value, 6);
    for (const mu of [-20, 1, 3, 5, 40]) {
      const q = ratingProbabilities(mu, 0.5, [1.5, 2.5, 3.5, 4.5]);
      expect(q.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      expect(Math.min(...q)).toBeGreaterThan(0);
    }
  });

  it("prefers symmetrically and never with certainty", () => {
    const [a, b] = [
      { mu: 4, sigma: 0.6 },
      { mu: 3, sigma: 0.8 },
    ];
    expect(preferenceProbability(a, b)).toBeCloseTo(normalCdf(1), 12);
    expect(preferenceProbability(a, b) + preferenceProbability(b, a)).toBeCloseTo(1, 7);
    expect(preferenceProbability({ mu: 90, sigma: 0.1 }, b)).toBeLessThan(1);
  });

  it("interpolates sigma between its knots", () => {
    const knots = { mu: [1, 3, 5], sigma: [0.4, 0.8, 0.6] };
    expect(sigmaAt(2, knots)).toBeCloseTo(0.6, 12);
    expect(sigmaAt(0, knots)).toBe(0.4);
    expect(sigmaAt(9, knots)).toBe(0.6);
  });
});

describe("the view", () => {
  const input = { mostPixels: 300_000, leastSide: 192 };
  const picture = (width: number, height: number) => ({
    width,
    height,
    data: Uint8Array.from({ length: width * height * 3 }, (_, i) => i),
  });

  it("is the whole picture, as it is where it has few pixels", async () => {
    const small = picture(320, 200);
    expect(await wholeView(small, input)).toBe(small);
    const large = await wholeView(picture(1200, 800), input);
    expect([large.width, large.height]).toEqual([670, 447]);
    expect(large.data).toHaveLength(670 * 447 * 3);
  });

  it("continues a small picture by reflection", async () => {
    expect([0, 1, 2, 3, 4, 5, 6].map((i) => reflected(i, 3))).toEqual([0, 1, 2, 2, 1, 0, 0]);
    const { data, width, height } = await wholeView(picture(3, 2), { mostPixels: 100, leastSide: 4 });
    expect([width, height]).toEqual([4, 4]);
    expect([...data.subarray(6, 12)]).toEqual([6, 7, 8, 6, 7, 8]);
    // The third row is the second again.
    expect([...data.subarray(24, 36)]).toEqual([...data.subarray(12, 24)]);
  });

  it("has few pixels of any shape", async () => {
    for (const [width, height] of [
      [1, 1],
      [9000, 1],
      [40, 4000],
      [1563, 192],
      [2000, 1500],
    ] as const) {
      const data = new Uint8Array(width * height * 3);
      const view = await wholeView({ width, height, data }, input);
      expect(view.width * view.height).toBeLessThanOrEqual(input.mostPixels);
      expect(Math.min(view.width, view.height)).toBeGreaterThanOrEqual(192);
      expect(view.data).toHaveLength(view.width * view.height * 3);
    }
  });
});

it("the network gives the numbers of an independent forward", async () => {
  const card = JSON.parse(readFileSync(path.join(assets, "teacher.json"), "utf8"));
  const crop: number = card.input.leastSide;
  const pixels = new Uint8Array(2 * crop * crop * 3);
  for (let y = 0, i = 0; y < crop; y++)
    for (let x = 0; x < crop; x++)
      for (let c = 0; c < 3; c++, i++) {
        pixels[i] = Math.floor((x + y + 40 * c) / 2) % 256;
        pixels[crop * crop * 3 + i] = (7 * x + 13 * y + 31 * c + Math.floor((x * y) / 8)) % 256;
      }
  const session = await InferenceSession.create(readFileSync(path.join(assets, "model.onnx")));
  const { mu } = await session.run({ pixels: new Tensor("uint8", pixels, [2, crop, crop, 3]) });
  for (const [i, value] of (mu!.data as Float32Array).entries())
    expect(value).toBeCloseTo(card.check.mu[i], 3);
  await session.release();
});

it("the network gives the numbers of an independent forward, at any size", async () => {
  // tools/embedded-teacher/independent.py and third.py: every layer in NumPy, float64.
  const busy = (x: number, y: number, c: number) => (3 * x + 5 * y + 70 * c + Math.floor((x * x) / 16)) % 256;
  const dark = (x: number, y: number, c: number) =>
    15 + Math.floor(((Math.floor((x * x) / 2000) + Math.floor((y * y) / 3000)) % 60) / 2) + 4 * c;
  const session = await InferenceSession.create(readFileSync(path.join(assets, "model.onnx")));
  const known: [width: number, height: number, pixel: typeof busy, mu: number][] = [
    // Sharpness and light count as much as they can in the second, less in the small one; the third has little of both.
    [77, 150, busy, 1.444158],
    [410, 390, busy, 3.526052],
    [410, 390, dark, 0.882523],
  ];
  for (const [width, height, pixel, expected] of known) {
    const pixels = new Uint8Array(height * width * 3);
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++, i++) pixels[i] = pixel(x, y, c);
    const { mu } = await session.run({ pixels: new Tensor("uint8", pixels, [1, height, width, 3]) });
    expect((mu!.data as Float32Array)[0]).toBeCloseTo(expected, 3);
  }
  await session.release();
});

describe("the embedded teacher", () => {
  let teacher: Teacher;
  beforeAll(async () => {
    teacher = await createEmbeddedTeacher();
  });
  afterAll(() => teacher.close());

  const score = async (bytes: Buffer): Promise<number> => {
    const [judged] = await teacher.judgePoints([image(bytes)]);
    if (!judged!.ok) throw new Error(judged!.reason);
    expect(judged!.mass).toBe(1);
    expect(judged!.probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    return expectedScore(judged!.probabilities);
  };

  it.each(["china.jpg", "coffee.jpg", "stream.jpg"])(
    "%s: falls with blur, compression and noise",
    async (name) => {
      const original = photo(name);
      const { data, info } = await sharp(original).raw().toBuffer({ resolveWithObject: true });
      let state = 1;
      const uniform = () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
      };
      const noisy = (amplitude: number) => {
        const out = Buffer.from(data);
        for (let i = 0; i < out.length; i++)
          out[i] = Math.max(
            0,
            Math.min(255, out[i]! + amplitude * (uniform() + uniform() + uniform() - 1.5)),
          );
        return sharp(out, { raw: { width: info.width, height: info.height, channels: info.channels } });
      };
      const ladders: Buffer[][] = [
        await Promise.all([1, 2.5, 6].map((s) => sharp(original).blur(s).png().toBuffer())),
        await Promise.all([60, 20, 4].map((quality) => sharp(original).jpeg({ quality }).toBuffer())),
        await Promise.all([20, 60, 140].map((amplitude) => noisy(amplitude).png().toBuffer())),
      ];
      const clean = await score(original);
      const rises: string[] = [];
      for (const ladder of ladders) {
        const scores = [clean];
        for (const step of ladder) scores.push(await score(step));
        if (scores.slice(1).some((s, i) => s > scores[i]! + 0.1))
          rises.push(scores.map((s) => s.toFixed(2)).join(" "));
        expect(clean - scores.at(-1)!).toBeGreaterThan(0.8);
      }
      // A photo that is noisy itself may look better for the mildest step: by and large is what is promised.
      expect(rises.length, rises.join("; ")).toBeLessThanOrEqual(1);
    },
    120_000,
  );

  it("prefers light to darkness and pixels to enlarged ones", async () => {
    for (const name of ["coffee.jpg", "flower.jpg"]) {
      const clean = await score(photo(name));
      const { width, height } = await sharp(photo(name)).metadata();
      const small = await sharp(photo(name))
        .resize(width! >> 1)
        .png()
        .toBuffer();
      const enlarged = await sharp(small)
        .resize(width, height, { fit: "fill", kernel: "cubic" })
        .png()
        .toBuffer();
      expect(clean - (await score(await sharp(photo(name)).linear(0.25).png().toBuffer()))).toBeGreaterThan(
        0.3,
      );
      expect(clean - (await score(enlarged))).toBeGreaterThan(0.3);
    }
  });

  it("prefers the better image whichever is asked first", async () => {
    const good = image(photo("flower.jpg"));
    const bad = image(await sharp(photo("flower.jpg")).jpeg({ quality: 5 }).toBuffer());
    const [first, second] = await teacher.judgePairs([
      [good, bad],
      [bad, good],
    ]);
    if (!first!.ok || !second!.ok) throw new Error("refused");
    expect(first!.pAB).toBeGreaterThan(0.7);
    expect(first!.pAB).toBe(first!.pBA);
    expect(first!.pAB + second!.pAB).toBeCloseTo(1, 6);
  });

  it("looks at an image once, however many pairs it is in", async () => {
    let reads = 0;
    const bytes = await sharp(photo("rocket.jpg")).resize(300).png().toBuffer();
    const counted: TeacherImage = {
      ...image(bytes),
      read: async () => {
        reads++;
        return bytes;
      },
    };
    const other = image(photo("coffee.jpg"));
    await teacher.judgePairs([
      [counted, other],
      [other, counted],
    ]);
    await teacher.judgePoints([counted]);
    expect(reads).toBe(1);
  });

  it("answers for a broken image without failing the others", async () => {
    const broken = image(Buffer.from("not an image"), "broken.jpg");
    const good = image(photo("coffee.jpg"));
    const [first, second] = await teacher.judgePoints([broken, good]);
    expect(first).toMatchObject({ ok: false, reason: expect.stringContaining("broken.jpg") });
    expect(second!.ok).toBe(true);
    const [pair] = await teacher.judgePairs([[good, broken]]);
    expect(pair!.ok).toBe(false);
  });

  it("judges pictures of any size", async () => {
    for (const [width, height] of [
      [1, 1],
      [40, 700],
      [192, 192],
      [2200, 1300],
    ] as const) {
      const bytes = await sharp(photo("china.jpg")).resize(width, height, { fit: "fill" }).png().toBuffer();
      expect(await score(bytes)).toBeGreaterThan(1);
    }
  }, 60_000);

  it("stops when cancelled", async () => {
    const abort = new AbortController();
    abort.abort();
    await expect(teacher.judgePoints([image(photo("coffee.jpg"))], abort.signal)).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  it("has a fingerprint of its model and parameters", async () => {
    const again = await createEmbeddedTeacher({ threads: 2 });
    expect(again.fingerprint).toBe(teacher.fingerprint);
    expect(teacher.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    await again.close();
    await expect(createEmbeddedTeacher({ assets: "/nowhere" })).rejects.toMatchObject({
      code: "environment",
    });
  });
});
