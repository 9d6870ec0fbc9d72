import { afterEach, expect, it, vi } from "vitest";
import { RequestFailure } from "../../../../src/engine/teachers/openai/failures.ts";
import { createPool } from "../../../../src/engine/teachers/openai/pool.ts";
import { quoted } from "../../../../src/words/text.ts";

afterEach(() => vi.restoreAllMocks());

it("an endpoint that asked to wait is used again, also where the clock was set back meanwhile", async () => {
  const pool = createPool({
    urls: ["http://127.0.0.1:1/v1"],
    concurrency: 1,
    patienceMs: 60_000,
    probe: async () => ({}),
  });
  const before = Date.now();
  let asked = 0;
  const answer = pool.use(async () => {
    if (asked++ > 0) return "answer";
    vi.spyOn(Date, "now").mockReturnValue(before);
    throw new RequestFailure("busy", quoted("HTTP 429"), { waitMs: 5 });
  });
  await expect(answer).resolves.toBe("answer");
  pool.close();
}, 2_000);
