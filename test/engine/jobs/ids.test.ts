import fc from "fast-check";
import { expect, test } from "vitest";
import { jobIdAfter, sortedJobIds } from "../../../src/engine/jobs/ids.ts";

// Up to the year 2099, and a clock that was never set.
const clock = fc.integer({ min: 0, max: 4_102_444_800_000 });
const random = fc.stringMatching(/^[0-9a-f]{6}$/);

test("ids are in the order in which jobs were started, however the clock is set meanwhile", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(clock, random), { maxLength: 40 }),
      fc.func(fc.integer()),
      (starts, shuffle) => {
        const ids: string[] = [];
        for (const [now, word] of starts) ids.push(jobIdAfter(sortedJobIds(ids).at(-1), now, word));
        expect(new Set(ids).size).toBe(ids.length);
        const mixed = [...ids].sort((a, b) => shuffle(a) - shuffle(b));
        expect(sortedJobIds(mixed)).toEqual(ids);
      },
    ),
  );
});

test("they follow on the ids of former versions, and other names are none", () => {
  const former = ["m0000000-abcdef", "n0000000-aaaaaa"];
  const next = jobIdAfter(former[1], 1_700_000_000_000, "0f0f0f");
  expect(sortedJobIds([next, ...former, ".DS_Store", "..", "a", "notes.txt", "x-y-z"])).toEqual([
    ...former,
    next,
  ]);
});
