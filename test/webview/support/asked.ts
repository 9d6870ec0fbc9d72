import { expect } from "vitest";
import type { Asked } from "./fakeEditor.ts";

/** The newest of these requests; others, such as a tab's reading, may have come since. */
export const lastAsked = (asked: readonly Asked[], method: Asked["method"]): Asked | undefined =>
  asked.findLast((one) => one.method === method);

/** Waits until the newest request of this method is this one. */
export const expectAsked = (asked: readonly Asked[], wanted: Asked): Promise<void> =>
  expect.poll(() => lastAsked(asked, wanted.method)).toEqual(wanted);
