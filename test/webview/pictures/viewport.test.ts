import fc from "fast-check";
import { expect, test } from "vitest";
import {
  fitted,
  inside,
  panBy,
  placement,
  visibleRegion,
  zoomAt,
} from "../../../webview/pictures/viewport.ts";

const size = fc.record({
  width: fc.integer({ min: 1, max: 8000 }),
  height: fc.integer({ min: 1, max: 8000 }),
});

test("the whole image fits, and never shows a border once it is larger than the pane", () => {
  fc.assert(
    fc.property(size, size, fc.double({ min: 1, max: 40, noNaN: true }), fc.gen(), (image, pane, zoom, g) => {
      const fit = visibleRegion(fitted, image, pane);
      for (const [from, to] of [fit.x, fit.y]) {
        expect(from).toBeCloseTo(0, 9);
        expect(to).toBeCloseTo(1, 9);
      }
      const at = () => g(fc.double, { min: -0.5, max: 1.5, noNaN: true });
      const view = inside({ zoom, x: at(), y: at() }, image, pane);
      const { left, top, scale } = placement(view, image, pane);
      for (const [start, length, room] of [
        [left, image.width * scale, pane.width],
        [top, image.height * scale, pane.height],
      ] as const) {
        if (length <= room) expect(start).toBeCloseTo((room - length) / 2, 3);
        else {
          expect(start).toBeLessThan(1e-3);
          expect(start + length).toBeGreaterThan(room - 1e-3);
        }
      }
    }),
  );
});

test("zooming keeps what is under the pointer, and a pan moves by what the pointer moved", () => {
  const image = { width: 4000, height: 3000 };
  const pane = { width: 800, height: 600 };
  fc.assert(
    fc.property(
      fc.double({ min: 4, max: 10, noNaN: true }),
      fc.double({ min: 1.1, max: 3, noNaN: true }),
      fc.integer({ min: 1, max: 799 }),
      fc.integer({ min: 1, max: 599 }),
      (zoom, more, x, y) => {
        const before = placement({ zoom, x: 0.5, y: 0.5 }, image, pane);
        const view = zoomAt({ zoom, x: 0.5, y: 0.5 }, zoom * more, { x, y }, image, pane);
        const after = placement(view, image, pane);
        expect((x - after.left) / after.scale).toBeCloseTo((x - before.left) / before.scale, 3);
        expect((y - after.top) / after.scale).toBeCloseTo((y - before.top) / before.scale, 3);
        const moved = placement(panBy(view, { x: 7, y: -5 }, image, pane), image, pane);
        expect(moved.left - after.left).toBeCloseTo(7, 3);
        expect(moved.top - after.top).toBeCloseTo(-5, 3);
      },
    ),
  );
});
