import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/{cli,demo,docs,engine,extension,integration,scripts,server,words}/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
});
