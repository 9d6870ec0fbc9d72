import path from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  findPathCandidates,
  imagePathAt,
  imagePathsInLine,
  isMarkdownLink,
  type PathPlaces,
} from "../../../src/server/images/pathsInText.ts";

const workspace = path.resolve("/work space/ws");
const docs = path.join(workspace, "docs");
const places = (...files: string[]): PathPlaces => {
  const known = new Set(files.map((file) => path.resolve(workspace, file)));
  return {
    documentFolder: docs,
    roots: [workspace, path.join(workspace, "photos")],
    exists: (file) => known.has(file),
  };
};
const found = (text: string, ...files: string[]) =>
  imagePathsInLine(text, places(...files)).map(({ start, end, file }) => [
    text.slice(start, end),
    path.relative(workspace, file).replaceAll(path.sep, "/"),
  ]);

describe("a link in Markdown", () => {
  it("is told from a path in its text, and from other documents", () => {
    const linked = (text: string, document = "file:///ws/notes.md") => {
      const start = text.indexOf("photos/");
      return isMarkdownLink(document, text, { start, end: text.indexOf(".jpg") + 4 });
    };
    for (const link of ["![a](photos/a.jpg)", "[a](<photos/a b.jpg>)", '![](photos/a.jpg "title")'])
      expect(linked(link), link).toBe(true);
    for (const none of ["See photos/a.jpg", "`photos/a.jpg`", "f(photos/a.jpg)", "[photos/a.jpg](b)"])
      expect(linked(none), none).toBe(false);
    expect(linked("![a](photos/a.jpg)", "file:///ws/notes.txt")).toBe(false);
  });
});

describe("image paths in text", () => {
  it.each([
    [
      "Markdown",
      "see ![a cat](photos/a.jpg) and [b](../photos/b.jpg 'title')",
      "photos/a.jpg",
      "../photos/b.jpg",
    ],
    [
      "HTML",
      `<img src='photos/a.jpg?v=2#x' alt="b"><img src=../photos/b.jpg>`,
      "photos/a.jpg",
      "../photos/b.jpg",
    ],
    [
      "Python",
      `pair = (Image.open("photos/a.jpg"), f(path=r'../photos/b.jpg'))`,
      "photos/a.jpg",
      "../photos/b.jpg",
    ],
    ["YAML", "images: [photos/a.jpg, b.jpg] # two", "photos/a.jpg", "b.jpg"],
    ["CSV", "photos/a.jpg;4,2;b.jpg", "photos/a.jpg", "b.jpg"],
    ["JSON", '{"image":"photos/a.jpg","other":["b.jpg"]}', "photos/a.jpg", "b.jpg"],
    ["prose", "Compare photos/a.jpg, then (see `b.jpg`).", "photos/a.jpg", "b.jpg"],
  ])("are found in %s", (_, text, first, second) => {
    expect(found(text, "photos/a.jpg", "photos/b.jpg")).toEqual([
      [first, "photos/a.jpg"],
      [second, "photos/b.jpg"],
    ]);
  });

  it("are looked for beside the document first, then below the roots", () => {
    expect(found("a.jpg", "docs/a.jpg", "a.jpg", "photos/a.jpg")).toEqual([["a.jpg", "docs/a.jpg"]]);
    expect(found("a.jpg", "a.jpg", "photos/a.jpg")).toEqual([["a.jpg", "a.jpg"]]);
    expect(found("<img src='/photos/a.jpg'>", "photos/a.jpg")).toEqual([["/photos/a.jpg", "photos/a.jpg"]]);
  });

  it("may hold blanks, in quotes or a cell of their own", () => {
    expect(found('open("my photos/a (1).jpg")', "my photos/a (1).jpg")).toEqual([
      ["my photos/a (1).jpg", "my photos/a (1).jpg"],
    ]);
    expect(found("my photos/a, b.jpg\t3.5", "my photos/a, b.jpg")).toEqual([
      ["my photos/a, b.jpg", "my photos/a, b.jpg"],
    ]);
    expect(found("see a b.jpg", "a b.jpg", "b.jpg")).toEqual([["a b.jpg", "a b.jpg"]]);
  });

  it("may be written as URLs, with entities, or as on Windows", () => {
    const uri = pathToFileURL(path.join(workspace, "a ü.jpg")).href;
    expect(found(`![](${uri})`, "a ü.jpg")).toEqual([[uri, "a ü.jpg"]]);
    expect(found("![](a%20%C3%BC.jpg)", "a ü.jpg")).toEqual([["a%20%C3%BC.jpg", "a ü.jpg"]]);
    expect(found('<img src="a&amp;b.jpg">', "a&b.jpg")).toEqual([["a&amp;b.jpg", "a&b.jpg"]]);
    expect(found("open(r'photos\\x\\a.jpg')", "photos/x/a.jpg")).toEqual([
      ["photos\\x\\a.jpg", "photos/x/a.jpg"],
    ]);
    expect(found('{"a":"photos\\\\\\u00fc.jpg"}', "photos/ü.jpg")).toEqual([
      ["photos\\\\\\u00fc.jpg", "photos/ü.jpg"],
    ]);
    expect(found("100%.jpg", "100%.jpg")).toEqual([["100%.jpg", "100%.jpg"]]);
  });

  it("are none in addresses of the web, and none that are no files", () => {
    expect(
      found("https://x.org/photos/a.jpg data:a.jpg", "photos/a.jpg", "a.jpg", "x.org/photos/a.jpg"),
    ).toEqual([]);
    expect(found("[a](https://x.org/(a.jpg) HTTP://b.jpg", "a.jpg", "b.jpg")).toEqual([]);
    expect(found("https://x.org/a.jpg,b.jpg", "a.jpg", "b.jpg")).toEqual([["b.jpg", "b.jpg"]]);
    expect(found("[x](https://x.org)[y](a.jpg)", "a.jpg")).toEqual([["a.jpg", "a.jpg"]]);
    expect(found("a.jpg.bak a.jpgx xa.jpg .jpg", "a.jpg")).toEqual([]);
    expect(found("\0a.jpg", "a.jpg")).toEqual([]);
  });

  it("are known at each of their characters", () => {
    const text = `${"x".repeat(900)} a.jpg b.jpg`;
    const at = (character: number) => imagePathAt(text, character, places("a.jpg", "b.jpg"));
    expect(at(text.length)).toMatchObject({ path: "b.jpg", start: text.length - 5, end: text.length });
    expect(at(902)?.path).toBe("a.jpg");
    expect(at(500)).toBeUndefined();
  });

  it("take bounded time in a line that is a whole file", () => {
    const text = '{"a":["(x).jpg",'.repeat(60_000);
    const started = performance.now();
    expect(findPathCandidates(text).length).toBeLessThan(20_000);
    expect(performance.now() - started).toBeLessThan(500);
  });

  const letter = fc.constantFrom(..."ab1_-.() ,;=&#%+@!'[]{}üé日~$^");
  const name = fc
    .string({ unit: letter, minLength: 1, maxLength: 10 })
    .map((text) => text.trim())
    .filter((text) => text !== "" && !/^\.+$/.test(text));
  const file = fc
    .tuple(fc.array(name, { maxLength: 2 }), name, fc.constantFrom("jpg", "PNG", "webp"))
    .map(([folders, base, extension]) => [...folders, `${base}.${extension}`].join("/"));
  const html = (text: string) => text.replaceAll("&", "&amp;").replaceAll("'", "&#39;");
  const forms: Record<string, (file: string) => string> = {
    "a Markdown image": (file) =>
      `text ![alt](${encodeURI(file).replace(/[()#?]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}) more`,
    "Markdown in brackets": (file) => `[x](<${file}> "title")`,
    "an HTML attribute": (file) => `<p><img alt="x" src="${html(file)}"></p>`,
    "a JSON string": (file) => `{"a": 1, "file": ${JSON.stringify(file)}}`,
    "escaped JSON": (file) =>
      `[${JSON.stringify(file).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}]`,
    "a quoted CSV cell": (file) => `1,"${file}",3.5`,
    "a Python string": (file) => `Image.open("${file}").show()`,
    "a line of its own": (file) => file,
    "a cell of tabs": (file) => `1\t${file}\t2`,
  };

  it("are found whatever the name, in all that it may be written in", () => {
    fc.assert(
      fc.property(file, fc.constantFrom(...Object.keys(forms)), (file, form) => {
        const text = forms[form]!(file);
        const hits = imagePathsInLine(text, places(file));
        expect(hits.map((hit) => hit.file)).toEqual([path.resolve(workspace, file)]);
        const [{ start, end }] = hits as [(typeof hits)[0]];
        expect(imagePathAt(text, Math.floor((start + end) / 2), places(file))).toEqual(hits[0]);
      }),
      { numRuns: 500 },
    );
  });

  it("never throw, lie inside the text, and are what stands there", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.oneof(letter, fc.constantFrom(".jpg", '"', "\\", "%2", "file://", "\0")),
          maxLength: 40,
        }),
        (text) => {
          for (const { start, end, path } of findPathCandidates(text))
            expect(text.slice(start, end)).toBe(path);
          const everywhere = { ...places(), exists: () => true };
          let behind = 0;
          for (const { start, end, file } of imagePathsInLine(text, everywhere)) {
            expect(start).toBeGreaterThanOrEqual(behind);
            expect(path.isAbsolute(file)).toBe(true);
            behind = end;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
