import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longestFirst.ts";

/** In real VS Code, one a file; within a file each test stands on those before it. The journey is as long as all others. */
export default defineConfig({
  test: {
    include: ["test/e2e/*.test.ts"],
    globalSetup: ["test/e2e/support/package.ts"],
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 240_000,
    hookTimeout: 180_000,
  },
});
