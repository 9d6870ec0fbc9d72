import fc from "fast-check";
import { expect, test } from "vitest";
import { scrollTo, windowOf } from "../../../webview/pictures/windowing.ts";

test("a list of any length draws what is in sight and little more, and reaches both ends", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 90, max: 300 }),
      fc.integer({ min: 100, max: 2000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (count, cell, room, share) => {
        const lines = { count, size: cell };
        const { height } = windowOf(lines, 0, room, 2);
        expect(height).toBeLessThanOrEqual(16_000_000);
        const scrolled = share * Math.max(0, height - room);
        const { first, last, offset } = windowOf(lines, scrolled, room, 2);
        expect(last - first).toBeLessThanOrEqual(Math.ceil(room / cell) + 5);
        // What is drawn covers the screen.
        if (first > 0) expect(offset).toBeLessThanOrEqual(scrolled);
        const end = offset + (last - first + 1) * cell;
        expect(end).toBeGreaterThanOrEqual(Math.min(scrolled + room, height) - 1e-3);
        const bottom = windowOf(lines, Math.max(0, height - room), room, 0);
        expect(bottom.last).toBe(count - 1);
        // Any line can be brought into sight.
        const line = Math.min(count - 1, Math.floor(share * count));
        const shown = windowOf(lines, scrollTo(lines, line, scrolled, room), room, 0);
        expect(shown.first).toBeLessThanOrEqual(line);
        expect(shown.last).toBeGreaterThanOrEqual(line);
      },
    ),
  );
});
