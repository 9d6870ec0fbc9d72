import { expect, it } from "vitest";
import { packageNotices } from "../../scripts/package/notices.js";

it("what was compiled into the decoders of HEIC and JPEG XL is named with its licence", () => {
  const text = packageNotices(["node_modules/libheif-js", "node_modules/@jsquash/jxl"]);
  for (const words of [
    "GNU LESSER GENERAL PUBLIC LICENSE",
    "GNU GENERAL PUBLIC LICENSE",
    "libde265",
    "the JPEG XL Project Authors, BSD-3-Clause",
    "Neither the name of the copyright holder",
    "the Brotli Authors, MIT",
  ])
    expect(text).toContain(words);
});
