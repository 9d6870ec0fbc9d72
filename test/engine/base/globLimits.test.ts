import path from "node:path";
import fc from "fast-check";
import fastGlob from "fast-glob";
import { describe, expect, it } from "vitest";
import { countPatterns, globProblem, mostPatterns } from "../../../src/engine/base/globLimits.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";
import { imagePatterns } from "../../../src/engine/dataset/index/patterns.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const bombs: [string, string][] = [
  ["a product of ranges", "{1..1000}{1..1000}{1..1000}.jpg"],
  ["a product of lists", `${"{a,b}".repeat(25)}.jpg`],
  ["one long range", "photos/{0..99999999}.jpg"],
  ["a range of many digits", `photos/{0..${"9".repeat(400)}}.jpg`],
  ["nested lists", `${"{x,{y,z}{1..50}}".repeat(12)}.jpg`],
  ["braces in braces", `${"{a,".repeat(3000)}b${"}".repeat(3000)}`],
  ["braces that are never closed", `${"{a,b".repeat(900)}`],
  ["thousands of one word", `{${"a,".repeat(1500)}b}{c,d}/*.jpg`],
  ["a long one", "a/".repeat(5000)],
];

describe("globs that would fill the memory", () => {
  it.each(bombs)("%s: refused at once, with the line", (_, glob) => {
    const start = performance.now();
    for (const text of [
      `split: { seed: 1 }\nimages: "${glob}"\n`,
      `split: { seed: 1 }\nimages:\n  ["${glob}"]\n`,
      `evaluate:\n  datasets: [{ name: x, images: "${glob}", mos: { file: m.csv } }]\nimages: photos\n`,
    ]) {
      const parsed = parseConfig(text);
      if (parsed.ok) throw new Error("accepted");
      const line = text.split("\n").findIndex((one) => one.includes(glob)) + 1;
      expect(parsed.problems).toHaveLength(1);
      expect(parsed.problems[0]!.line).toBe(line);
      expect(parsed.problems[0]!.message).toMatch(/the most$/);
      expect(parsed.problems[0]!.message.length).toBeLessThan(200);
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it.each([
    ["words of which one begins another", "+(a|aa)b.jpg"],
    ["an empty word", "*(a|)b.jpg"],
    ["a wildcard in a group that repeats", "*(**)(*.**(*("],
    ["a group in a group that repeats", "photos/+(+(a))b"],
    ["a group with a plus behind it", "(a+)+b.jpg"],
    ["single characters in two ways", "*(?|??).jpg"],
    ["anything but a name, repeated", "!(b)+a.jpg"],
    ["braces that repeat", "{a,aa}+b.jpg"],
    ["a star behind a group in braces that are no list", "photos/{(a*)*}b.jpg"],
    ["many wildcards in a name", "*a*a*a*a*a.jpg"],
    ["many sets that repeat", "[a-z]+[a-z]+[a-z]+[a-z]+[a-z]+.jpg"],
    ["many folders of any depth", "**/a/**/a/**/a/**/a/**/a/**/*.jpg"],
  ])("slow to match, by %s: refused, with the line", (_, glob) => {
    const parsed = parseConfig(`split: { seed: 1 }\nimages: "${glob}"\n`);
    if (parsed.ok) throw new Error("accepted");
    expect(parsed.problems).toMatchObject([{ line: 2 }]);
    expect(parsed.problems[0]!.message).toMatch(/takes too long to match$|a group that repeats/);
  });

  it("a row of backslashes, which picomatch does not come to an end on", () => {
    expect(globProblem(`*${"\\".repeat(4)}`)?.message).toMatch(/four backslashes/);
    expect(globProblem("photos\\*\\")).toBeUndefined();
  });

  it("`!` alone names nothing", () => {
    expect(parseConfig('images: ["photos", "!"]\n')).toMatchObject({
      ok: false,
      problems: [{ message: expect.stringContaining("needs the name") }],
    });
  });

  it("many globs together are refused too, many files are not", () => {
    const text = (entries: string[]) => `images:\n${entries.map((one) => `  - "${one}"\n`).join("")}`;
    const globs = parseConfig(text(Array.from({ length: 2500 }, (_, i) => `p${i}/*.jpg`)));
    expect(globs).toMatchObject({ ok: false, problems: [{ line: 2002 }] });
    const files = ["photos", ...Array.from({ length: 5000 }, (_, i) => `!photos/p${i}.jpg`)];
    expect(parseConfig(text(files)).ok).toBe(true);
  });

  it("what people write is accepted", () => {
    for (const images of [
      "photos",
      "photos/**/*.{jpg,png,webp}",
      "{a,b}/{1..100}/*.jpg",
      "IMG [1] {x}.jpg",
      "a,b,{c",
      "**/*.+(jpg|png)",
      "photos/!(old)*.@(jpg|*.png)",
      "*/*/*/*/*/*_*_*-*.jpg",
      "IMG (1)+.jpg",
      "\\+(a|aa)b.jpg",
      "wow!!!!!.jpg",
      "1+1+1+1+1+1 (a+b+c).jpg",
    ])
      expect(globProblem(images)).toBeUndefined();
  });

  it("never counts less than there are", () => {
    const piece: fc.Arbitrary<string> = fc.letrec<{ text: string }>((tie) => ({
      text: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom("a", "b/", "*", "[x]", "\\{", ""),
        fc
          .tuple(fc.integer({ min: -3, max: 12 }), fc.integer({ min: -3, max: 12 }))
          .map(([a, b]) => `{${a}..${b}}`),
        fc.array(tie("text"), { minLength: 1, maxLength: 4 }).map((parts) => `{${parts.join(",")}}`),
        fc.array(tie("text"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("")),
      ),
    })).text;
    fc.assert(
      fc.property(piece, (glob) => {
        const count = countPatterns(glob);
        fc.pre(count <= mostPatterns && glob !== "");
        const tasks = fastGlob.generateTasks(glob);
        const patterns = tasks.flatMap((task) => task.patterns);
        expect(patterns.length).toBeLessThanOrEqual(count);
      }),
      { numRuns: 500 },
    );
  });
});

describe("patterns", () => {
  it("are ready in a moment, and match in a moment, whatever they are", { timeout: 60_000 }, async () => {
    const root = temporaryFolder();
    const part = fc.constantFrom(
      "*",
      "**",
      "/",
      "?",
      "a",
      "{a,b}",
      "[a-z]",
      "[",
      "(",
      "+(",
      "*(",
      "!(",
      ")",
      "|",
      "i*",
      "..",
      ".",
      "\\",
      "!",
      "+",
    );
    const glob = fc.array(part, { minLength: 1, maxLength: 30 }).map((parts) => parts.join(""));
    const known = [
      "*(**)(*.**(*(",
      "*a*a*a*a.jpg",
      "photos/+(+(+(+(+(+(a)))))))b",
      "!(i**}{)*()}}[a-z]][**a[a+?!*(}[a-z][a-z]",
      "photos/*(*(*(*(*(*(*(i*))))))).jpg",
      "**/**/**/**/**/**/*a*b*c*d*e*f*.jpg",
    ];
    await fc.assert(
      fc.asyncProperty(fc.oneof(glob, fc.constantFrom(...known)), async (images) => {
        const start = performance.now();
        try {
          const patterns = await imagePatterns(root, images);
          for (const folder of [
            "photos",
            "photos/a/a/a",
            ...patterns.bases.map((base) => path.relative(root, base)),
          ]) {
            const { here } = patterns.rulesOf(path.join(root, folder));
            for (const letters of ["a", "ai", "i"])
              patterns.holds(`${folder}/${letters.repeat(60)}b.jpg`, here);
          }
        } catch (error) {
          if ((error as { code?: string }).code !== "config") throw error;
        }
        expect(performance.now() - start).toBeLessThan(5_000);
      }),
      { numRuns: 300, examples: known.map((one) => [one]) },
    );
  });

  it("match what micromatch matches", async () => {
    const folders = ["photos", "photos/a", "photos/a/b", "photos/set.1", "more", ""];
    const names = ["one.png", "Two.PNG", "three.jpg", "[x].png"];
    const files = folders.flatMap((folder) => names.map((name) => (folder ? `${folder}/${name}` : name)));
    const pattern = fc
      .array(fc.constantFrom("photos", "a", "b", "*", "**", "set.*", "{a,more}", "?", "m*", "!(a)"), {
        maxLength: 3,
      })
      .chain((parts) =>
        fc
          .constantFrom("*.png", "*", "t*", "{one,Two}.*", "**/*.jpg", "**")
          .map((last) => [...parts, last].join("/")),
      );
    const { default: micromatch } = await import("micromatch" as string);
    await fc.assert(
      // At the beginning, `!` leaves out.
      fc.asyncProperty(
        pattern.filter((one) => !one.startsWith("!")),
        async (images) => {
          const patterns = await imagePatterns("/nowhere", images);
          const found = files.filter((file) => {
            const { here } = patterns.rulesOf(path.join("/nowhere", path.dirname(file)));
            return here.length > 0 && patterns.holds(file, here);
          });
          expect(found).toEqual(micromatch(files, images, { nocase: true }));
        },
      ),
      { numRuns: 400 },
    );
  });
});
