import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longestFirst.ts";

/** Faults and fuzz: seeded, some five minutes; LEAF_FAULTS_TIMES makes it longer (test/faults/support/trials.ts). */
export default defineConfig({
  test: {
    include: ["test/faults/*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});
