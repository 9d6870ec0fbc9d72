import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ImageRow } from "../../../src/protocol/images.ts";
import type { ImageView } from "../../../src/protocol/server.ts";
import { bars, imageHover } from "../../../src/server/images/imageHover.ts";
import { escapeMarkdown } from "../../../src/words/escape.ts";
import { quoted, say } from "../../../src/words/text.ts";
import { hashOf } from "../../support/liveWorld.ts";
import { reader, tokensOf } from "../../support/markdownReader.ts";

const textOf = (markdown: string) =>
  tokensOf(markdown)
    .filter(({ type }) => type === "text" || type === "text_special")
    .map(({ content }) => content)
    .join("");

const row: ImageRow = {
  hash: hashOf(7),
  path: "photos/render_0412.png",
  uri: "file:///ws/photos/render_0412.png",
  width: 1024,
  height: 768,
  format: "png",
  size: 1_310_000,
  split: "test",
  score: 3.6154,
  rank: { share: 0.708, of: 152 },
  teacher: { score: 3.93, probabilities: [0.02, 0.7, 0.28, 0, 0], confidence: 0.543, human: false },
  mos: 3.4,
  disagreement: 0.3,
  thumbnail: "file:///ws/.leaf/cache/pictures/00/a%20b-small.webp",
};
const view: ImageView = {
  row,
  project: { config: "file:///ws/leaf.yaml", name: "leaf.yaml", imagesName: "photos" },
  scorer: {
    kind: "student",
    title: say`student ${"r12"} · calibrated`,
    fingerprint: "x",
    scale: [1, 5],
    lowerIsBetter: false,
  },
  mosRange: [1, 5],
};
const linesOf = (markdown: string) =>
  reader
    .render(markdown)
    .replace(/<img[^>]*>|<\/?(p|a|strong)[^>]*>/g, "")
    .split(/<br>\n|\n/)
    .filter(Boolean);

describe("the hover", () => {
  it("shows the heat map beside the picture, and alone where there is no picture", () => {
    const heat = "file:///ws/.leaf/cache/pictures/00/a b-heat-small.png";
    const images = (shown: ImageView, pictured = false) =>
      tokensOf(imageHover(shown, pictured)).flatMap(({ type, attrs }) =>
        type === "image" ? [Object.fromEntries(attrs ?? []).src] : [],
      );
    const shown = heat.replaceAll(" ", "%20");
    const size = "%7Cwidth=160,height=120";
    expect(images({ ...view, heat })).toEqual([row.thumbnail, shown].map((uri) => `${uri}${size}`));
    expect(images({ ...view, heat, row: { ...row, thumbnail: null } })).toEqual([`${shown}${size}`]);
    expect(images({ ...view, heat: null })).toHaveLength(1);
    expect(images({ ...view, heat }, true)).toEqual([`${shown}${size}`]);
    expect(images({ ...view, heat: null }, true)).toEqual([]);
  });

  it("keeps a picture within 160 × 120 px, in its own shape", () => {
    const size = (width: number, height: number) =>
      /width=(\d+),height=(\d+)/
        .exec(imageHover({ ...view, row: { ...row, width, height } }))!
        .slice(1)
        .map(Number);
    expect(size(3000, 4000)).toEqual([90, 120]);
    expect(size(4000, 1000)).toEqual([160, 40]);
    expect(size(1, 100_000)).toEqual([1, 120]);
  });

  it("warns of an image unlike those of training, and of no other", () => {
    const warned = (far: boolean | null | undefined) =>
      linesOf(imageHover({ ...view, row: { ...row, far } })).filter((line) => /unlike/i.test(line));
    expect(warned(true)).toEqual(["⚠ Unlike the images it was distilled on: do not rely on this score"]);
    for (const not of [false, null, undefined]) expect(warned(not)).toEqual([]);
  });

  it("says all that is known of an image, each number with what made it", () => {
    const markdown = imageHover(view);
    expect(markdown.split("\n").at(-1)).toBe(`![](${row.thumbnail}|width=160,height=120)`);
    expect(linesOf(markdown)).toEqual([
      "render_0412.png · 1024×768 · PNG · 1.3 MB",
      "Quality 3.62 / 5 · better than 71 % of 152 scored images (student r12 · calibrated)",
      "Teacher 3.93 · excellent ▁ good ▆ fair ▃ poor ▁ bad ▁ · confidence 0.54",
      "MOS 3.40 / 5",
      "Open in IQA panel · Rescore",
    ]);
  });

  it("has a line for each further target, on its own scale", () => {
    const scale: [number, number] = [0, 100];
    const targets = [
      { name: "sharp*ness*", score: 61.74, sd: 4, mos: 70, scale, lowerIsBetter: false },
      { name: "noise", score: 2.5, mos: null, scale: [1, 5] as [number, number], lowerIsBetter: true },
      { name: "colour", score: null, mos: 3, scale: [1, 5] as [number, number], lowerIsBetter: false },
    ];
    expect(linesOf(imageHover({ ...view, row: { ...row, targets } })).slice(2, 5)).toEqual([
      "sharp*ness* 61.7 ± 4.0 (0 to 100) · MOS 70.0 (0 to 100)",
      "noise 2.50 / 5, lower is better",
      "colour not scored yet · MOS 3.00 / 5",
    ]);
  });

  it("tells how sure a score is, where the student knows", () => {
    expect(linesOf(imageHover({ ...view, row: { ...row, sd: 0.306 } }))[1]).toMatch(
      /^Quality 3\.62 ± 0\.31 \/ 5 · /,
    );
  });

  it("links to the panel and to a new score, with their arguments", () => {
    const odd = { ...view, project: { ...view.project, config: "file:///w%20(1)/it's.leaf.yaml" } };
    const links = tokensOf(imageHover(odd)).flatMap(({ type, attrs }) =>
      type === "link_open" ? [new Map(attrs).get("href")!] : [],
    );
    const parsed = links.map((href) => {
      const [command, args] = href.replace("command:", "").split("?") as [string, string];
      return [command, JSON.parse(decodeURIComponent(args))];
    });
    expect(parsed).toEqual([
      ["leaf.openPanel", ["file:///w%20(1)/it's.leaf.yaml", "gallery", { hash: row.hash }]],
      ["leaf.score", [row.uri]],
    ]);
  });

  it("tells the teacher's reason as its words, whatever they hold", () => {
    const reason = "blur, [noise](http://x) <b>";
    const lines = linesOf(imageHover({ ...view, row: { ...row, teacher: { ...row.teacher!, reason } } }));
    expect(lines[3]).toBe(`“${reason.replace("<b>", "&lt;b&gt;")}” (the teacher's words)`);
  });

  it("names the embedded teacher as such before there is a student", () => {
    const scorer = { ...view.scorer, kind: "embedded" as const, title: say`embedded teacher` };
    const plain = { ...row, teacher: null, mos: null, thumbnail: null, score: 3.1 };
    expect(linesOf(imageHover({ ...view, scorer, row: plain, mosRange: null })).slice(1, 2)).toEqual([
      "Quality 3.10 / 5 · better than 71 % of 152 scored images (embedded teacher, blind to content; distill a student for your images)",
    ]);
  });

  it("names scales other than 1 to 5, and a person in the teacher's place", () => {
    const lines = linesOf(
      imageHover({
        ...view,
        scorer: { ...view.scorer, scale: [0, 100], lowerIsBetter: true },
        mosRange: [0, 100],
        row: {
          ...row,
          score: 42.04,
          rank: null,
          mos: 40.2,
          teacher: { score: 2, probabilities: null, confidence: 1, human: true },
        },
      }),
    );
    expect(lines.slice(1, 4)).toEqual([
      "Quality 42.0 (0 to 100), lower is better (student r12 · calibrated)",
      "Teacher overruled by a person: 2.00",
      "MOS 40.2 (0 to 100)",
    ]);
    expect(linesOf(imageHover({ ...view, row: { ...row, score: null, rank: null } }))[1]).toBe(
      "Quality not known yet (student r12 · calibrated)",
    );
  });

  it("tells how far opinions were apart, in as many decimals as the MOS", () => {
    const mosLine = (mos: number, mosStd: number, mosRange: [number, number]) =>
      linesOf(imageHover({ ...view, mosRange, row: { ...row, mos, mosStd } })).at(-2);
    expect(mosLine(3.4, 0.68, [1, 5])).toBe("MOS 3.40 ± 0.68 / 5");
    expect(mosLine(63.96, 19.3, [0, 100])).toBe("MOS 64.0 ± 19.3 (0 to 100)");
    expect(mosLine(0.061, 0.05, [0, 1])).toBe("MOS 0.061 ± 0.050 (0 to 1)");
  });

  it("draws any probabilities as five bars", () => {
    expect(bars([1, 0.5, 0, 0.14, 2])).toBe("excellent █ good ▅ fair ▁ poor ▂ bad █");
  });

  const hostile = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          "![x](http://evil.org/a.png)",
          "[x](command:leaf.run)",
          "<img src=x>",
          "https://evil.org",
          "www.evil.org",
          "a@evil.org",
          "`",
          "**",
          "_",
          "\n",
          "\n\n# ",
          "\r",
          "    ",
          "|",
          "\\",
          "](",
          "<!--",
          "&amp;",
          "$(zap)",
          "~~",
          "---",
          "1. ",
          "> ",
          "\u2028",
          "\u202e",
          "[x]: http://evil.org ",
        ),
        fc.string({ maxLength: 5 }),
        fc.string({ unit: "grapheme", maxLength: 5 }),
      ),
      { minLength: 1, maxLength: 6 },
    )
    .map((parts) => parts.join(""));

  it("makes nothing of a hostile file name but text", () => {
    const ordinary = tokensOf(imageHover(view)).map(({ type }) => type);
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, folder, title) => {
        const markdown = imageHover({
          ...view,
          row: {
            ...row,
            path: `photos/${name.replaceAll("/", "")}x.png`,
            thumbnail: `file:///${encodeURI("a (b)|c")}.webp`,
          },
          project: { ...view.project, imagesName: folder },
          scorer: { ...view.scorer, title: quoted(title) },
        });
        const tokens = tokensOf(markdown);
        const shape = (types: string[]) => types.filter((type) => !/^text/.test(type));
        expect(shape(tokens.map(({ type }) => type))).toEqual(shape(ordinary));
        expect(
          tokens.filter(({ type }) => type === "image").map(({ attrs }) => new Map(attrs).get("src")),
        ).toEqual(["file:///a%20%28b%29%7Cc.webp%7Cwidth=160,height=120"]);
      }),
      { numRuns: 500 },
    );
  });

  it("shows a name as it is, but for blanks", () => {
    fc.assert(
      fc.property(hostile, (name) => {
        const shown = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
        expect(textOf(`a ${escapeMarkdown(name)} b`).trim()).toBe(`a ${shown} b`.trim());
      }),
      { numRuns: 500 },
    );
  });
});
