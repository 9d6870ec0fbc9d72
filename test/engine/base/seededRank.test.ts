import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compare, seededOrder, seededRank } from "../../../src/engine/base/seededRank.ts";

describe("seededOrder", () => {
  it("is the order of the ranks as texts, whatever the order of the keys", () => {
    const keys = fc.uniqueArray(fc.string(), { maxLength: 100 });
    fc.assert(
      fc.property(keys, fc.nat(), (keys, seed) => {
        const rankOf = (key: string) => seededRank(seed, "split", key);
        const expected = keys.toSorted((a, b) => compare(rankOf(a), rankOf(b)) || compare(a, b));
        expect(seededOrder(seed, "split", keys)).toEqual(expected);
        expect(seededOrder(seed, "split", keys.toReversed())).toEqual(expected);
      }),
    );
  });

  it("depends on seed and purpose", () => {
    const keys = Array.from({ length: 50 }, (_, i) => `${i}`);
    const first = seededOrder(0, "split", keys);
    expect(seededOrder(1, "split", keys)).not.toEqual(first);
    expect(seededOrder(0, "check", keys)).not.toEqual(first);
  });
});
