import { expect, it } from "vitest";
import { shareProblems } from "../../../src/engine/dataset/check.ts";

it("a network share is a problem with its remedy, a local disk is none", () => {
  expect(shareProblems(undefined)).toEqual([]);
  const [told] = shareProblems("nfs4");
  expect(told).toMatch(/nfs4.*not safe.*local disk.*leaf labels merge/);
});
