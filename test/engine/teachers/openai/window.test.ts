import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../../src/engine/base/random.ts";
import { createWindow, type Window } from "../../../../src/engine/teachers/openai/window.ts";

/** A server that works on `slots` requests at a time, each for about `latency` ms; the others wait. Time is simulated. */
function simulate(
  window: Window,
  server: { slots: number; latency: number; jitter: number },
  answers: number,
): number {
  const random = seededRandom(5);
  const ends: number[] = [];
  const free = Array.from({ length: server.slots }, () => 0);
  let now = 0;
  const start = () => {
    const slot = free.indexOf(Math.min(...free));
    const begun = Math.max(now, free[slot]!);
    free[slot] = begun + server.latency * (1 + server.jitter * (random() - 0.5));
    ends.push(free[slot]!);
  };
  for (let done = 0; done < answers; done++) {
    while (ends.length < window.limit) start();
    const next = ends.indexOf(Math.min(...ends));
    now = ends.splice(next, 1)[0]!;
    window.onAnswer(now, ends.length + 1 >= window.limit);
  }
  return (answers * 1000) / now;
}

describe("createWindow", () => {
  it("finds about as many places as the server has, for servers small and large, steady and not", () => {
    for (const slots of [1, 4, 10, 40, 64, 200])
      for (const jitter of [0, 0.5]) {
        const window = createWindow(512);
        simulate(window, { slots, latency: 100, jitter }, 20_000);
        expect(window.limit, `${slots} slots, jitter ${jitter}`).toBeGreaterThanOrEqual(0.9 * slots);
        expect(window.limit, `${slots} slots, jitter ${jitter}`).toBeLessThanOrEqual(
          Math.max(20, 2.5 * slots),
        );
        const throughput = simulate(window, { slots, latency: 100, jitter }, 5000);
        expect(throughput / (slots * 10)).toBeGreaterThan(0.9);
      }
  });

  it("reaches the maximum where more would pay", () => {
    const window = createWindow(64);
    simulate(window, { slots: 1000, latency: 50, jitter: 0.2 }, 2000);
    expect(window.limit).toBe(64);
  });

  it("halves when told that the server is busy, and comes back", () => {
    const window = createWindow(64);
    simulate(window, { slots: 64, latency: 50, jitter: 0 }, 3000);
    window.onBusy();
    expect(window.limit).toBe(32);
    simulate(window, { slots: 64, latency: 50, jitter: 0 }, 20_000);
    expect(window.limit).toBeGreaterThan(50);
  });

  it("does not widen while the window is not used up", () => {
    const window = createWindow(64);
    for (let i = 0; i < 1000; i++) window.onAnswer(i, false);
    expect(window.limit).toBe(8);
  });

  it("stays between 1 and the maximum whatever happens", () => {
    const event = fc.oneof(
      fc.constant("busy"),
      fc.tuple(fc.double({ min: 0, max: 50, noNaN: true }), fc.boolean()),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(event, { maxLength: 400 }), (max, events) => {
        const window = createWindow(max);
        let now = 0;
        for (const one of events) {
          if (typeof one === "string") window.onBusy();
          else {
            now += one[0];
            window.onAnswer(now, one[1]);
          }
          expect(Number.isInteger(window.limit) && window.limit >= 1 && window.limit <= max).toBe(true);
        }
      }),
    );
  });
});
