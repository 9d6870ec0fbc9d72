import fc from "fast-check";
import { expect, test } from "vitest";
import {
  commandLink,
  escapeHtml,
  escapeMarkdown,
  markdownTable,
  markdownTarget,
} from "../../src/words/escape.ts";
import { reader, tokensOf } from "../support/markdownReader.ts";

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "![x](http://evil.org/a.png)",
        "[x](command:leaf.run)",
        "<img src=x>",
        "https://evil.org",
        "http://1.2.3.4/x",
        "www.evil.org",
        "www.1.2",
        "a@evil.org",
        "a@1.2",
        "1.2.3.4",
        "3.62 / 5, 71 %",
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
        "&#33;",
        "$(zap)",
        "~~",
        "---",
        "===",
        "1. ",
        "1) ",
        "> ",
        "\u2028",
        "\u202e",
        "[x]: http://evil.org ",
        "[^1]",
      ),
      fc.string({ maxLength: 5 }),
      fc.string({ unit: "grapheme", maxLength: 5 }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(""));

const shown = (text: string) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
const typesOf = (markdown: string) =>
  tokensOf(markdown).map(({ type, content }) =>
    type === "text" || type === "text_special" ? content : type,
  );

test("a reader of Markdown shows the text as it is, on one line, and makes nothing else of it", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      fc.pre(shown(text) !== "");
      const types = typesOf(escapeMarkdown(text));
      expect([types[0], types[1], types.at(-1)]).toEqual(["paragraph_open", "inline", "paragraph_close"]);
      expect(types.slice(2, -1).join("")).toBe(shown(text));
    }),
    { numRuns: 2000 },
  );
});

test("figures stay readable, and an icon or a link cannot be smuggled in", () => {
  expect(escapeMarkdown("0.861, 71 %")).toBe("0.861, 71 %");
  const escaped = escapeMarkdown("![x](https://e.vil/a.png) <img src=x> $(zap) `a` *b*\n# c");
  expect(escaped).not.toMatch(/(?<!\\)[![\]()<>`*#$]/);
  expect(escaped).not.toContain("\n");
});

test("a page shows the text as it is, in text and in attributes; what no page may hold is marked", () => {
  const read = (markup: string) =>
    markup.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  fc.assert(
    fc.property(hostile, (text) => {
      const escaped = escapeHtml(text);
      expect(escaped).not.toMatch(/[<>"'`]|&(?!#\d+;)/);
      expect(read(escaped)).toBe(text.replace(/[^\P{Cc}\t\n\r]/gu, "\ufffd"));
    }),
  );
});

test("links carry their arguments whole, and targets their address", () => {
  const links = (markdown: string) =>
    tokensOf(markdown).flatMap(({ type, attrs }) =>
      type === "link_open" ? [Object.fromEntries(attrs ?? []).href!] : [],
    );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), hostile, (one, other) => {
      const [href] = links(commandLink("Open", "leaf.openPanel", one, { other }));
      const [command, args] = href!.split("?") as [string, string];
      expect(command).toBe("command:leaf.openPanel");
      expect(JSON.parse(decodeURIComponent(args))).toEqual([one, { other }]);
    }),
  );
  const address = "file:///a (b)/it's|x.leaf.yaml";
  expect(links(`[x](${markdownTarget(address)})`).map(decodeURIComponent)).toEqual([address]);
  const link = commandLink("Open", "leaf.openPanel", "file:///a (b)/leaf.yaml", { hash: "x)" });
  const [, encoded] = /^\[Open\]\(command:leaf\.openPanel\?([^()]*)\)$/.exec(link)!;
  expect(JSON.parse(decodeURIComponent(encoded!))).toEqual(["file:///a (b)/leaf.yaml", { hash: "x)" }]);
});

test("a table has its rows", () => {
  const table = markdownTable(["a", "b"], [["1", escapeMarkdown("x|y")]], ["---", "---:"]);
  expect(table).toBe("| a | b |\n| --- | ---: |\n| 1 | x\\|y |");
  expect(reader.render(table)).toContain('<td style="text-align:right">x|y</td>');
});
