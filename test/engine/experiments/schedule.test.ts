import fc from "fast-check";
import { expect, test } from "vitest";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { schedule } from "../../../src/engine/experiments/schedule.ts";
import { quoted, say } from "../../../src/words/text.ts";

/** An item is the list of tasks that it needs, by name: "a1" is of rank 1. */
type Item = { needs: string[]; done: string[]; error?: unknown; ended?: boolean };

/** Runs items whose tasks take some turns of the event loop each, and tells what was seen. */
async function run(
  needs: string[][],
  {
    jobs = 2,
    failing = new Set<string>(),
    turns = (_: string) => 1,
    signal,
  }: {
    jobs?: number;
    failing?: Set<string>;
    turns?: (id: string) => number;
    signal?: AbortSignal;
  } = {},
) {
  const items = needs.map((one): Item => ({ needs: one, done: [] }));
  const runs: string[] = [];
  const finished = new Set<string>();
  let [atOnce, most, exclusive, mostExclusive] = [0, 0, 0, 0];
  await schedule(items, {
    jobs,
    signal,
    async next(item) {
      const id = item.needs.find((one) => !finished.has(one));
      if (id === undefined) return undefined;
      const label = id.startsWith("l");
      return {
        id,
        rank: Number(id.slice(1)),
        exclusive: label,
        async run() {
          runs.push(id);
          most = Math.max(most, ++atOnce);
          if (label) mostExclusive = Math.max(mostExclusive, ++exclusive);
          for (let i = 0; i < turns(id); i++) await new Promise((resolve) => setImmediate(resolve));
          atOnce--;
          if (label) exclusive--;
          if (failing.has(id)) throw new LeafError("failed", quoted(id));
          finished.add(id);
        },
      };
    },
    async end(item, error) {
      expect(item.ended).toBeUndefined();
      Object.assign(item, { ended: true, error });
    },
  });
  return { items, runs, most, mostExclusive, finished };
}

const chain = fc
  .tuple(fc.constantFrom("l0", "m0"), fc.constantFrom("d1", "e1", "f1"), fc.constantFrom("c2", "b2", "a2"))
  .chain((all) => fc.integer({ min: 0, max: 3 }).map((n) => all.slice(0, n)));

test("every task runs once, within the limit; a failure ends those that need it and no others", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(chain, { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.uniqueArray(fc.constantFrom("l0", "d1", "e1", "c2")),
      fc.func(fc.integer({ min: 0, max: 3 })),
      async (needs, jobs, failing, turns) => {
        const seen = await run(needs, { jobs, failing: new Set(failing), turns });
        expect(new Set(seen.runs).size).toBe(seen.runs.length);
        expect(seen.most).toBeLessThanOrEqual(jobs);
        expect(seen.mostExclusive).toBeLessThanOrEqual(1);
        for (const item of seen.items) {
          expect(item.ended).toBe(true);
          const broken = item.needs.find((id) => (failing as string[]).includes(id));
          expect((item.error as LeafError | undefined)?.message).toBe(broken);
          if (broken === undefined) expect(item.needs.every((id) => seen.finished.has(id))).toBe(true);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("later stages go first, so that whole rows come early", async () => {
  const { runs } = await run(
    [
      ["m0", "d1", "c2"],
      ["m0", "e1", "a2"],
    ],
    { jobs: 1 },
  );
  expect(runs).toEqual(["m0", "d1", "c2", "e1", "a2"]);
});

test("a task that changes nothing is not run for ever", async () => {
  const ended: unknown[] = [];
  await schedule(["x"], {
    jobs: 1,
    next: async () => ({ id: "same", rank: 0, exclusive: false, run: async () => {} }),
    end: async (_, error) => void ended.push(error),
  });
  expect(ended).toEqual([
    expect.objectContaining({ code: "failed", message: expect.stringContaining("changed") }),
  ]);
});

test("cancelled, it starts nothing more and waits for what it started", async () => {
  const controller = new AbortController();
  const started: string[] = [];
  let settled = 0;
  const running = schedule(["a", "b", "c"], {
    jobs: 2,
    signal: controller.signal,
    next: async (item) => ({
      id: item,
      rank: 0,
      exclusive: false,
      async run() {
        started.push(item);
        if (started.length === 2) controller.abort();
        await new Promise((resolve) => setTimeout(resolve, 5));
        settled++;
        throw new LeafError("cancelled", say`Cancelled.`);
      },
    }),
    end: async () => {
      throw new Error("Nothing ends when it is cancelled.");
    },
  });
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  expect(started).toEqual(["a", "b"]);
  expect(settled).toBe(2);
});
