import { expect, test } from "vitest";
import type { ServeConfig } from "../../../../src/engine/config/teacher.ts";
import { filledCommand, serverSpec } from "../../../../src/engine/teachers/serve/spec.ts";

const serve: ServeConfig = {
  model: "some folder/model",
  command: ["/opt/llama server", "-m", "{model}", "--mmproj={model}/mmproj.gguf", "--port", "{port}"],
  args: ["--name", "{model}"],
  env: { CUDA_VISIBLE_DEVICES: "0" },
  port: null,
  startMinutes: 30,
  idleMinutes: 15,
};
const keyOf = (over: Partial<ServeConfig>, cwd = "/work") => serverSpec({ ...serve, ...over }, cwd).key;

test("model and port are filled in wherever they stand, and nothing is split or quoted", () => {
  expect(filledCommand(serverSpec(serve, "/work"), 8123)).toEqual([
    "/opt/llama server",
    "-m",
    "some folder/model",
    "--mmproj=some folder/model/mmproj.gguf",
    "--port",
    "8123",
    "--name",
    "some folder/model",
  ]);
});

test("what changes the server changes its key; how long it may take does not", () => {
  const key = keyOf({});
  expect(keyOf({ startMinutes: 1, idleMinutes: 0 })).toBe(key);
  const others = [
    keyOf({ model: "other" }),
    keyOf({ args: [] }),
    keyOf({ port: 8000 }),
    keyOf({ env: {} }),
    keyOf({ env: { CUDA_VISIBLE_DEVICES: "1" } }),
    keyOf({}, "/elsewhere"),
  ];
  expect(new Set([key, ...others]).size).toBe(7);
  expect(key).toMatch(/^[0-9a-f]{16}$/);
});
