import { expect, it } from "vitest";
import { coverageByRoom } from "../../scripts/coverage.js";

it("coverage is summed by folder of three names, the whole last", () => {
  const lines = (total: number, covered: number) => ({ lines: { total, covered } });
  const summary = {
    total: lines(30, 12),
    "/p/src/server/main.ts": lines(10, 5),
    "/p/src/engine/teachers/openai/client.ts": lines(10, 7),
    "/p/src/engine/teachers/pool.ts": lines(10, 0),
    "/p/src/protocol/types.ts": lines(0, 0),
  };
  expect(coverageByRoom(summary, "/p")).toEqual([
    "src/engine/teachers   35.0 % of 20 lines",
    "src/protocol               – of 0 lines",
    "src/server            50.0 % of 10 lines",
    "all                   40.0 % of 30 lines",
  ]);
});
