import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longestFirst.ts";

// The panel in real Chromium; apart from the other tests, since not every machine has one (LEAF_CHROMIUM names it).
export default defineConfig({
  test: {
    include: ["test/webview/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // How long the panel may take is measured where it matters; elsewhere a busy machine is no failure.
    expect: { poll: { timeout: 10_000 } },
  },
});
