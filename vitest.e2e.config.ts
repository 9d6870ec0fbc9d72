import { defineConfig } from "vitest/config";

/** In real VS Code: one file after the other, and within a file each test stands on those before it. */
export default defineConfig({
  test: {
    include: ["test/e2e/*.test.ts"],
    globalSetup: ["test/e2e/support/package.ts"],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 180_000,
  },
});
