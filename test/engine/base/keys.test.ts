import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { digestLines } from "../../../src/engine/base/keys.ts";

it("a digest of lines is that of their text, however many are hashed at a time", () => {
  const line = fc.oneof(
    fc.string(),
    fc.nat({ max: 9000 }).map((n) => "é".repeat(n)),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const text = lines.map((one) => `${one}\n`).join("");
      expect(digestLines(lines)).toBe(createHash("sha256").update(text).digest("hex").slice(0, 32));
    }),
  );
});
