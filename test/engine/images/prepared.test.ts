import fc from "fast-check";
import sharp from "sharp";
import { expect, it } from "vitest";
import { decodeImage } from "../../../src/engine/images/decode.ts";
import { preparedInOnePass } from "../../../src/engine/images/prepared.ts";
import { prepare, type StudentInput } from "../../../src/engine/images/views.ts";

/** Noise, so that no two ways of scaling agree by chance. */
function noise(width: number, height: number, channels: 1 | 3 | 4) {
  const data = Buffer.alloc(width * height * channels);
  for (let i = 0; i < data.length; i++) data[i] = (i * 2654435761) >>> 24;
  return sharp(data, { raw: { width, height, channels } });
}

const side = fc.integer({ min: 1, max: 160 });
const anyInput: fc.Arbitrary<StudentInput> = fc
  .record({
    crop: fc.integer({ min: 16, max: 40 }),
    more: fc.option(fc.integer({ min: 0, max: 40 })),
    views: fc.constantFrom("whole" as const, 1 as const, 5 as const),
  })
  .map(({ crop, more, views }) => ({ crop, resize: more === null ? null : crop + more, views }));

it("in one pass it is bit for bit the picture of the decoded pixels", async () => {
  const kind = fc.constantFrom("jpeg", "progressive", "4:4:4", "grey", "P3", "png", "alpha");
  await fc.assert(
    fc.asyncProperty(
      side,
      side,
      fc.integer({ min: 1, max: 8 }),
      kind,
      anyInput,
      async (w, h, orientation, kind, input) => {
        const source = noise(w, h, kind === "grey" ? 1 : kind === "alpha" ? 4 : 3);
        const bytes = await (kind === "png" || kind === "alpha"
          ? source.png()
          : (kind === "P3" ? source.withIccProfile("p3") : source)
              .toColourspace(kind === "grey" ? "b-w" : "srgb")
              .withMetadata({ orientation })
              .jpeg({
                quality: 80,
                progressive: kind === "progressive",
                chromaSubsampling: kind === "4:4:4" ? "4:4:4" : "4:2:0",
              })
        ).toBuffer();
        const expected = await prepare(await decodeImage(bytes), input);
        const found = await preparedInOnePass(bytes, input, {});
        expect(found && { ...found, data: Buffer.from(found.data) }).toEqual({
          ...expected,
          data: Buffer.from(expected.data),
        });
      },
    ),
    { numRuns: 60 },
  );
});
