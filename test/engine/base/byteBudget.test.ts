import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteBudget } from "../../../src/engine/base/byteBudget.ts";

describe("byteBudget", () => {
  it("never holds more than its bytes, but for one that is larger than all of them and alone", async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(fc.integer({ min: 0, max: 3 })), async (bytes, turns) => {
        const budget = byteBudget(100);
        const working = new Map<number, number>();
        const started: number[] = [];
        const done = await Promise.allSettled(
          bytes.map((size, i) =>
            budget.run(size, async () => {
              working.set(i, size);
              started.push(i);
              for (let turn = turns[i % (turns.length || 1)] ?? 1; turn > 0; turn--) {
                const held = [...working.values()].reduce((sum, one) => sum + one, 0);
                // Whose turn has come holds its bytes before its work begins.
                expect(budget.held()).toBeGreaterThanOrEqual(held);
                expect(held <= 100 || working.size === 1).toBe(true);
                await setImmediate();
              }
              working.delete(i);
              if (i % 5 === 4) throw new Error(String(i));
              return i;
            }),
          ),
        );
        // Nobody is overtaken or forgotten, and who fails gives back what it held.
        expect(started).toEqual(bytes.map((_, i) => i));
        expect(done.map((one, i) => (one.status === "fulfilled") === (i % 5 !== 4))).not.toContain(false);
        expect(budget.held()).toBe(0);
        expect(budget.most()).toBeLessThanOrEqual(Math.max(100, ...bytes));
      }),
      { numRuns: 100 },
    );
  });

  it("does what fits at the same time", async () => {
    const budget = byteBudget(100);
    let [together, most] = [0, 0];
    await Promise.all(
      Array.from({ length: 9 }, () =>
        budget.run(33, async () => {
          most = Math.max(most, ++together);
          await setImmediate();
          together--;
        }),
      ),
    );
    expect(most).toBe(3);
  });
});
