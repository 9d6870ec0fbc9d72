import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Line, lineSplitter } from "../../../src/engine/base/lines.ts";

function linesOf(pieces: readonly string[], most: number): Line[] {
  const splitter = lineSplitter(most);
  return [...pieces.flatMap((piece) => splitter.take(piece)), ...splitter.end()];
}

describe("lines", () => {
  it("are the same wherever the text is cut", () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "\r", "\n") }));
    fc.assert(
      fc.property(pieces, fc.integer({ min: 0, max: 8 }), (cut, most) => {
        const whole = cut.join("");
        const expected = whole.split("\n").map((line): Line => {
          return line.length > most ? { tooLong: line[0] } : { text: line.replace(/\r$/, "") };
        });
        // What follows the last end is a line only if there is something.
        if (whole.endsWith("\n") || whole === "") expected.pop();
        expect(linesOf(cut, most)).toEqual(expected);
      }),
    );
  });

  it("are told to be too long before they end", () => {
    const splitter = lineSplitter(3);
    expect(splitter.take("ab")).toEqual([]);
    expect(splitter.take("cd")).toEqual([{ tooLong: "a" }]);
    expect(splitter.take("efg\nx\n")).toEqual([{ text: "x" }]);
  });
});
