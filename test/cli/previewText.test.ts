import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dryRunText } from "../../src/cli/previewText.ts";
import type { DryRun } from "../../src/protocol/preview.ts";
import { dryRunMarkdown } from "../../src/server/dryRunMarkdown.ts";
import { tokensOf } from "../support/markdownReader.ts";

const dryRun: DryRun = {
  teacher: { kind: "openai", fingerprint: "f", about: "llama.cpp, 20 log-probabilities" },
  questions: [
    {
      images: ["photos/a.jpg"],
      prompt: "⟨image 1⟩\nRate it.",
      top: [
        { token: " Good", probability: 0.6 },
        { token: "good", probability: 0.2 },
      ],
      answers: [
        { answer: "excellent", tokens: [], probability: 0 },
        { answer: "good", tokens: [" Good", "good"], probability: 0.8 },
      ],
      mass: 0.8,
      label: { value: 4, confidence: 1 },
    },
    { images: ["a.jpg", "b.jpg"], prompt: "Which?", top: [], answers: [], mass: 0.2, label: null },
  ],
};

describe("a dry run", () => {
  it("is told in a terminal with prompt, tokens, answers and label", () => {
    const text = dryRunText(dryRun);
    expect(text).toContain("openai teacher: llama.cpp, 20 log-probabilities");
    expect(text).toContain("│ Rate it.");
    expect(text).toContain('80.00 %  good  (" Good" + "good")');
    expect(text).toContain("label: score 4.00 / 5, confidence 1.00");
    expect(text).toContain("a.jpg  against  b.jpg");
    expect(text).toContain("label: none: the teacher did not follow the prompt");
  });

  it("is a document that shows a leading space", () => {
    const markdown = dryRunMarkdown(dryRun);
    expect(markdown).toContain("| ␣Good | 60.00 % |");
    expect(markdown).toContain("Score **4.00 / 5**");
    expect(markdown).toContain("**No label**");
  });

  it("makes no link, picture or HTML of what models and files say", () => {
    const nasty = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "<img src=x onerror=alert(1)>",
        "[x](command:evil)",
        "```\n# x",
        "![](http://x/y)",
        "a|b",
      ),
    );
    fc.assert(
      fc.property(nasty, nasty, nasty, (name, prompt, token) => {
        const [one] = dryRun.questions;
        const question = {
          ...one!,
          images: [name],
          prompt,
          top: [{ token, probability: 1 }],
          answers: [{ answer: token, tokens: [token], probability: 1 }],
        };
        const tokens = tokensOf(dryRunMarkdown({ ...dryRun, questions: [question] }));
        const kinds = new Set(tokens.map(({ type }) => type));
        for (const kind of ["link_open", "image", "html_inline", "html_block"])
          expect(kinds).not.toContain(kind);
        const fences = tokens.filter(({ type }) => type === "fence").map(({ content }) => content);
        expect(fences).toEqual([`${prompt.replace(/\r\n?|\n/g, "\n").replaceAll("\0", "\uFFFD")}\n`]);
      }),
    );
  });
});
