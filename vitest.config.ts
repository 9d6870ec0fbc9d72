import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longestFirst.ts";

export default defineConfig({
  test: {
    include: [
      "test/{bench,cli,demo,docs,engine,extension,integration,protocol,scripts,server,words}/**/*.test.ts",
    ],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // By --coverage; scripts/coverage.js tells it.
    coverage: { include: ["src/**/*.ts"], reporter: ["json-summary"], reportOnFailure: true },
  },
});
