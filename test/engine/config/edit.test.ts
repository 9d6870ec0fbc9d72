import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { globProblem } from "../../../src/engine/base/globLimits.ts";
import type { Config } from "../../../src/engine/config/config.ts";
import { withExclusions, withRatingsFile } from "../../../src/engine/config/edit.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";

function read(text: string): Config {
  const parsed = parseConfig(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}
const exclude = (text: string, ...paths: string[]) => withExclusions(text, "leaf.yaml", paths).text;
const rated = (text: string) =>
  withRatingsFile(text, "leaf.yaml", {
    file: "mos.csv",
    image: "image",
    score: "mos",
    range: [1, 5],
    lowerIsBetter: false,
  });
const mosLine = "mos: { file: mos.csv, image: image, score: mos, range: [1, 5] }\n";

describe("leaving images out", () => {
  it("makes a list of one folder, its comment kept", () => {
    expect(exclude("# top\nimages: photos  # mine\n\nsplit: { test: 0.3 } # x\n", "photos/a b.jpg")).toBe(
      '# top\nimages: [photos, "!photos/a b.jpg"]  # mine\n\nsplit: { test: 0.3 } # x\n',
    );
  });

  it("writes a longer list in lines of its own", () => {
    const long = `photos/${"x".repeat(80)}.jpg`;
    expect(exclude("images: photos # mine\nsplit: { test: 0.3 }", long)).toBe(
      `images:\n  - photos # mine\n  - "!${long}"\nsplit: { test: 0.3 }`,
    );
    expect(exclude("images: photos", long)).toBe(`images:\n  - photos\n  - "!${long}"\n`);
  });

  it("goes on with a list as it is written", () => {
    expect(exclude("images:\n- photos # a\n- more/*.png\n# b\nsplit: {}\n", "photos/a.jpg")).toBe(
      'images:\n- photos # a\n- more/*.png\n- "!photos/a.jpg"\n# b\nsplit: {}\n',
    );
    expect(exclude("images: [ photos, more ] # c\r\n", "a.jpg", "b.jpg")).toBe(
      'images: [ photos, more, "!a.jpg", "!b.jpg" ] # c\r\n',
    );
  });

  it("adds nothing twice, and says how many are new", () => {
    const once = withExclusions("images: photos\n", "leaf.yaml", ["a.jpg", "a.jpg", "b.jpg"]);
    expect(once.added).toBe(2);
    expect(withExclusions(once.text, "leaf.yaml", ["b.jpg", "a.jpg"])).toEqual({ text: once.text, added: 0 });
  });

  it("refuses a config that is broken, with its place", () => {
    expect(() => exclude("images: photos\nsplit: { tset: 1 }\n", "a.jpg")).toThrow(
      /leaf\.yaml:2:10: unknown key/,
    );
  });

  it("means what it says for any config and any path", () => {
    const name = fc.oneof(
      fc.constantFrom("a.jpg", "a: b.jpg", "#1.jpg", "'q\".png", "ü,[x]{y}.jpg", "!a.jpg"),
      fc.string({ minLength: 1, maxLength: 8 }),
    );
    const images = fc.oneof(name, fc.array(name, { minLength: 1, maxLength: 3 }));
    const style = fc.record({
      collectionStyle: fc.constantFrom("any" as const, "block" as const, "flow" as const),
      indentSeq: fc.boolean(),
      defaultStringType: fc.constantFrom("PLAIN" as const, "QUOTE_DOUBLE" as const, "QUOTE_SINGLE" as const),
    });
    fc.assert(
      fc.property(
        images,
        fc.array(name, { minLength: 1, maxLength: 3 }),
        style,
        fc.boolean(),
        (images, paths, style, first) => {
          // A name such as `!` or `a(b)+` is refused as a glob.
          fc.pre(globProblem([images, paths.map((path) => `!${path}`)].flat()) === undefined);
          const parts = first ? { images, split: { test: 0.3 } } : { split: { test: 0.3 }, images };
          const text = `# kept\n${stringify(parts, style)}`;
          const before = read(text);
          const after = withExclusions(text, "leaf.yaml", paths);
          const had = [before.images].flat();
          const added = [...new Set(paths.map((path) => `!${path}`))].filter((entry) => !had.includes(entry));
          expect(after.added).toBe(added.length);
          expect(read(after.text)).toEqual(
            added.length === 0 ? before : { ...before, images: [...had, ...added] },
          );
          expect(after.text).toContain("# kept");
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("naming a file of ratings", () => {
  it("puts it under the images and lets all of them calibrate", () => {
    expect(rated("# a\nimages: photos # b\n\nlabel: {}\n")).toBe(
      `# a\nimages: photos # b\n${mosLine}calibrate: { ratio: 1 }\n\nlabel: {}\n`,
    );
    expect(rated("images:\n  - photos\n  - more # c\n\nlabel: {}\n")).toBe(
      `images:\n  - photos\n  - more # c\n${mosLine}calibrate: { ratio: 1 }\n\nlabel: {}\n`,
    );
    expect(rated("images: photos")).toBe(`images: photos\n${mosLine}calibrate: { ratio: 1 }\n`);
  });

  it("changes the ratio where there is one, and only it", () => {
    expect(rated("images: photos\ncalibrate:\n  ratio: 0.1            # share\n  epochs: 3\n")).toBe(
      `images: photos\n${mosLine}calibrate:\n  ratio: 1            # share\n  epochs: 3\n`,
    );
    expect(rated("images: photos\ncalibrate:\n  # few\n  epochs: 3\n")).toBe(
      `images: photos\n${mosLine}calibrate:\n  # few\n  ratio: 1\n  epochs: 3\n`,
    );
    expect(rated("calibrate: { epochs: 3 } # x\nimages: photos\n")).toBe(
      `calibrate: { ratio: 1, epochs: 3 } # x\nimages: photos\n${mosLine}`,
    );
    expect(rated("images: photos\r\n# c\r\n")).toBe(
      `images: photos\r\n${mosLine.trim()}\r\ncalibrate: { ratio: 1 }\r\n# c\r\n`,
    );
  });

  it("also edits a config that is one line of braces", () => {
    const config = read(rated("{ images: photos, split: { test: 0.3 } } # one line\n"));
    expect(config.mos).toMatchObject({ file: "mos.csv", range: [1, 5] });
    expect(config.calibrate.ratio).toBe(1);
    expect(config.split.test).toBe(0.3);
  });
});
