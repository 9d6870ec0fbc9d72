import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { msSsim, type Plane, standInForMos } from "../../../demo/truth.ts";

interface Case {
  name: string;
  side: number;
  msSsim: number;
}
// By scikit-image: test/fixtures/make_msssim.py.
const cases = JSON.parse(
  readFileSync(new URL("../../fixtures/msssim.json", import.meta.url), "utf8"),
) as Case[];

function plane(side: number, value: (x: number, y: number) => number): Plane {
  const data = new Float64Array(side * side);
  for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) data[y * side + x] = value(x, y);
  return { side, data };
}

const base = (x: number, y: number) =>
  Math.floor(128 + 60 * Math.sin(x / 9) + 50 * Math.cos(y / 5 + x / 31)) + ((x * y) % 17);
const noise = (x: number, y: number) => ((x * x * 13 + y * y * 7 + x * y) % 41) - 20;

/** The planes of make_msssim.py. */
const changes: Record<string, (x: number, y: number) => number> = {
  noise: (x, y) => base(x, y) + noise(x, y),
  "strong noise": (x, y) => base(x, y) + 3 * noise(x, y),
  contrast: (x, y) => 128 + 0.4 * (base(x, y) - 128),
  brightness: (x, y) => base(x, y) + 30,
  posterise: (x, y) => Math.floor(base(x, y) / 64) * 64,
  inverted: (x, y) => 255 - base(x, y),
};

describe("MS-SSIM", () => {
  it("has a fixture for every change", () => {
    expect(new Set(cases.map((one) => one.name))).toEqual(new Set(Object.keys(changes)));
  });

  it.each(cases)("agrees with scikit-image on $name, $side pixels", ({ name, side, msSsim: expected }) => {
    expect(msSsim(plane(side, base), plane(side, changes[name]!))).toBeCloseTo(expected, 9);
  });

  it("is 1 for equal planes and the same in both orders", () => {
    const a = plane(176, base);
    const b = plane(176, changes.noise!);
    expect(msSsim(a, a)).toBeCloseTo(1, 12);
    expect(msSsim(a, b)).toBe(msSsim(b, a));
  });

  it("refuses planes of other or too small sizes", () => {
    expect(() => msSsim(plane(175, base), plane(175, base))).toThrow(RangeError);
    expect(() => msSsim(plane(176, base), plane(180, base))).toThrow(RangeError);
  });
});

describe("the stand-in for MOS", () => {
  it("is 5 for the pristine plane, 1 for its negative, and falls with noise", () => {
    const a = plane(176, base);
    expect(standInForMos(a, a)).toBe(5);
    expect(standInForMos(a, plane(176, changes.inverted!))).toBe(1);
    expect(standInForMos(a, plane(176, changes["strong noise"]!))).toBeLessThan(
      standInForMos(a, plane(176, changes.noise!)),
    );
  });
});
