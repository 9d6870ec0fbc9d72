import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { inSteps, keeper } from "../../../src/engine/views/kept.ts";

/** Makes `length` entries in so many milliseconds. */
const made = (length: number, ms = 0) =>
  vi.fn(async () => {
    vi.advanceTimersByTime(ms);
    return { length };
  });

describe("what is kept", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is made once for all who ask, and again from other inputs", async () => {
    const keep = keeper();
    const input = {};
    const [first, other] = [made(1), made(2)];
    const both = await Promise.all([1, 2].map(() => keep("a", { inputs: [input] }, first)));
    expect(both[0]).toBe(both[1]);
    expect(await keep("a", { inputs: [input] }, first)).toBe(both[0]);
    expect(first).toHaveBeenCalledTimes(1);
    expect(await keep("a", { inputs: [{}] }, other)).toEqual({ length: 2 });
    // Both at once, each from its own inputs.
    const inputs = [{}, {}];
    const two = await Promise.all(inputs.map((one, i) => keep("a", { inputs: [one] }, made(10 + i))));
    expect(two.map(({ length }) => length)).toEqual([10, 11]);
  });

  it("is never outdated where it is short; a long one rests in proportion to what it cost", async () => {
    const keep = keeper();
    const at = (version: string, length: number, ms = 0) =>
      keep(`${length}`, { inputs: [], version }, made(length, ms));
    const short = await at("1", 5, 1000);
    expect(await at("2", 5)).not.toBe(short);
    const long = await at("1", 50_000, 1000);
    expect(await at("2", 50_000)).toBe(long);
    vi.advanceTimersByTime(7999);
    expect(await at("3", 50_000)).toBe(long);
    vi.advanceTimersByTime(2);
    const next = await at("3", 50_000, 1000);
    expect(next).not.toBe(long);
    // Other inputs are no question of age.
    expect(await keep("50000", { inputs: [{}], version: "3" }, made(50_000))).not.toBe(next);
  });

  it("forgets what could not be made, what lies unused, and what was made of what is gone", async () => {
    const keep = keeper();
    const failing = vi.fn(async (): Promise<{ length: number }> => {
      throw new Error("no");
    });
    await expect(keep("a", { inputs: [] }, failing)).rejects.toThrow("no");
    expect(await keep("a", { inputs: [] }, made(3))).toEqual({ length: 3 });
    const base = await keep("base", { inputs: [], version: "1" }, made(1));
    const list = await keep("list", { inputs: [base] }, made(1));
    const ofList = await keep("of list", { inputs: [list] }, made(1));
    await keep("base", { inputs: [], version: "2" }, made(1));
    expect(await keep("list", { inputs: [base] }, made(1))).not.toBe(list);
    expect(await keep("of list", { inputs: [list] }, made(1))).not.toBe(ofList);
    const read = await keep("read", { inputs: [], version: "1" }, made(1));
    for (let i = 0; i < 20; i++) await keep(`other ${i}`, { inputs: [] }, made(1));
    expect(await keep("read", { inputs: [], version: "1" }, made(1))).toBe(read);
    const again = made(3);
    await keep("a", { inputs: [] }, again);
    expect(again).toHaveBeenCalledTimes(1);
  });
});

it("steps go through all", async () => {
  const seen: number[] = [];
  await inSteps(5000, (i) => seen.push(i));
  expect(seen).toEqual(Array.from({ length: 5000 }, (_, i) => i));
});
