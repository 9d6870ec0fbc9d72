import { setTimeout as delay } from "node:timers/promises";

/** Asks again until the answer is something; says what it waited for, and the last error, when time is up. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const answer = await ask();
      if (answer) return answer as NonNullable<T>;
      last = answer;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    await delay(100);
  }
  throw new Error(`Waited ${timeoutMs / 1000} s for ${what}. Last: ${String(last)}`);
}
