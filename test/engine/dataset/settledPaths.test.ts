import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { settledPaths } from "../../../src/engine/dataset/watch/settledPaths.ts";
import { throttled } from "../../../src/server/notices.ts";
import { temporaryFolder } from "../../support/pictures.ts";

// Somebody sets the clock of the machine, or it is synchronised: nothing waits for the time to come round again.
const day = 86_400_000;
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
afterEach(() => void vi.useRealTimers());

const until = (condition: () => boolean) =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 3_000 });

test.each([-day, day])("what is told now and then is told after the clock was set (%d ms)", async (ms) => {
  let told = 0;
  const tell = throttled(20, () => void told++);
  tell();
  await until(() => told === 1);
  vi.setSystemTime(Date.now() + ms);
  tell();
  await until(() => told === 2);
});

test.each([-day, day])("a file that was touched is told of after the clock was set (%d ms)", async (ms) => {
  const file = path.join(temporaryFolder(), "a.jpg");
  writeFileSync(file, "a");
  const told: string[] = [];
  const paths = settledPaths(
    ({ changed }) => told.push(...changed),
    (error) => {
      throw error;
    },
  );
  paths.touch(file);
  vi.setSystemTime(Date.now() + ms);
  await until(() => told.includes(file));
  paths.close();
});
