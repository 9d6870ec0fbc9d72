import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { progressTimer } from "../../../src/engine/base/progressTimer.ts";
import { listening } from "../../../src/engine/jobs/listening.ts";

const [patienceMs, everyMs] = [45_000, 1_000];

/** A job that looks at what was said every second, by a clock that the test moves. */
function job() {
  let now = 5_000_000;
  const { isHeard } = listening({ patienceMs, everyMs, now: () => now });
  return {
    look(word: string | undefined, afterMs = everyMs) {
      now += afterMs;
      return isHeard(word);
    },
  };
}

describe("a job that listens for listeners", () => {
  it("stops once nobody has said anything new for as long as it is patient", () => {
    const one = job();
    for (let beat = 0; beat < 10; beat++)
      for (let second = 0; second < 5; second++) expect(one.look(`word ${beat}`)).toBe(true);
    let silent = 0;
    while (one.look("word 9")) silent++;
    expect(silent).toBeGreaterThanOrEqual(39);
    expect(silent).toBeLessThanOrEqual(45);
  });

  it("stops as well where nobody has ever said anything", () => {
    const one = job();
    let silent = 0;
    while (one.look(undefined)) silent++;
    expect(silent).toBe(45);
  });

  it("is not impatient with a machine that slept, however long and however often", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ awake: fc.nat(20), asleepMs: fc.integer({ min: 46_000, max: 1e9 }) })),
        (days) => {
          const one = job();
          let beat = 0;
          for (const { awake, asleepMs } of days) {
            // Up to 20 s without a word before the sleep, and 20 s after it until the listener has woken up.
            for (let second = 0; second < awake; second++) expect(one.look(`word ${beat}`)).toBe(true);
            expect(one.look(`word ${beat}`, asleepMs)).toBe(true);
            for (let second = 0; second < 20; second++) expect(one.look(`word ${beat}`)).toBe(true);
            beat++;
            expect(one.look(`word ${beat}`)).toBe(true);
          }
        },
      ),
    );
  });

  it("stops in the end where it sleeps now and then and nobody comes back", () => {
    const one = job();
    let looks = 0;
    while (one.look("word", looks % 60 === 30 ? 3_600_000 : everyMs)) looks++;
    expect(looks).toBeLessThan(200);
  });

  it("is patient on a busy machine, where its looks come late", () => {
    const one = job();
    for (let second = 0; second < 12; second++) expect(one.look("word", 8_000)).toBe(true);
    let looks = 0;
    while (one.look("word", 8_000)) looks++;
    // Not for ever.
    expect(looks).toBeLessThan(60);
  });
});

describe("rate and time left", () => {
  const at = (seconds: number) => 1_700_000_000_000 + seconds * 1000;
  const progress = (done: number) =>
    ({ stage: "label", step: "points", done, total: 100, unit: "images" }) as const;

  it("are measured anew after the clock was set, either way, and after a sleep", () => {
    for (const jump of [-3600, -1, 3600, 86_400]) {
      const timed = progressTimer();
      timed(progress(0), at(0));
      expect(timed(progress(10), at(10)).rate).toBeCloseTo(1);
      expect(timed(progress(10), at(10 + jump)).rate).toBeNull();
      expect(timed(progress(20), at(20 + jump))).toMatchObject({ rate: 1, secondsLeft: 80 });
    }
  });
});
