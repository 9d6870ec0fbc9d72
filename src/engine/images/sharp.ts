import { createRequire } from "node:module";
import type Sharp from "sharp";
import { lazily } from "../base/lazily.ts";

const require = createRequire(import.meta.url);

export const sharp = lazily(() => {
  const loaded = require("sharp") as typeof Sharp;
  // Images are decoded side by side; libvips' own threads and its operation cache would only add memory.
  loaded.cache(false);
  loaded.concurrency(1);
  return loaded;
});
