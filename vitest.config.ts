import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/{unit,server,extension,integration}/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
});
