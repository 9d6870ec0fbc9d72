import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ordered, pageOf } from "../../../src/engine/views/order.ts";

const key = fc.oneof(
  fc.double(),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(-0, 0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -5e-324),
);

describe("ordered", () => {
  it("sorts as a comparison would: unknown ones last, equal ones as they are, in both directions", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 60 }), fc.boolean(), async (keys, descending) => {
        const wanted = (row: number) => row % 5 !== 3;
        const found = await ordered(keys.length, {
          conditions: [wanted],
          key: (row) => keys[row]!,
          descending,
        });
        const rows = [...keys.keys()].filter(wanted).sort((a, b) => {
          const [x, y] = [keys[a]!, keys[b]!];
          if (Number.isNaN(x) || Number.isNaN(y))
            return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
          return (x === y ? 0 : x < y === descending ? 1 : -1) || a - b;
        });
        expect([...found]).toEqual(rows);
      }),
    );
  });

  it("without a key leaves rows as they are, or turns all of them round", async () => {
    const even = [(row: number) => row % 2 === 0];
    expect([...(await ordered(6, { conditions: even, descending: false }))]).toEqual([0, 2, 4]);
    expect([...(await ordered(6, { conditions: even, descending: true }))]).toEqual([4, 2, 0]);
  });

  it("lets others go on while it sorts many", async () => {
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    const keys = Float64Array.from({ length: 400_000 }, (_, i) => (i * 7919) % 400_009);
    const list = await ordered(keys.length, { conditions: [], key: (row) => keys[row]!, descending: false });
    clearInterval(counting);
    expect(turns).toBeGreaterThan(2);
    expect(list.every((row, i) => i === 0 || keys[list[i - 1]!]! < keys[row]!)).toBe(true);
  });
});

describe("a page", () => {
  const list = Int32Array.of(7, 3, 9, 1, 4);

  it("is what an offset and a limit cut out, or the page that holds a row", () => {
    const cut = (offset: number, limit: number, around?: number) => {
      const { rows, ...rest } = pageOf(list, { offset, limit }, around);
      return { rows: [...rows], ...rest };
    };
    expect(cut(1, 2)).toEqual({ rows: [3, 9], total: 5 });
    expect(cut(4, 9)).toEqual({ rows: [4], total: 5 });
    expect(cut(9, 2)).toEqual({ rows: [], total: 5 });
    expect(cut(0, 2, 1)).toEqual({ rows: [9, 1], total: 5, offset: 2 });
    expect(cut(1, 2, 8)).toEqual({ rows: [3, 9], total: 5 });
  });
});
