import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kept, keptSentences } from "../../src/words/kept.ts";
import { inEnglish, render } from "../../src/words/text.ts";
import { pseudo } from "../support/pseudoLocale.ts";

test("the sentences are those that the sources say", () => {
  const texts = JSON.parse(readFileSync("l10n/bundle.l10n.json", "utf8"));
  expect(keptSentences.filter((one) => !Object.hasOwn(texts, one))).toEqual([]);
});

test("what was kept in English is said in another language, and reads the same in English", () => {
  for (const [sentence, said] of [
    ["the file is empty", "⟦the file is empty⟧"],
    ["the JPEG data is truncated", "⟦the ⟧JPEG⟦ data is truncated⟧"],
    ["the WebP data is truncated", "⟦the ⟧WebP⟦ data is truncated⟧"],
    [
      "the PNG data is truncated or corrupt (bad (CRC))",
      "⟦the ⟧PNG⟦ data is truncated or corrupt (⟧bad (CRC)⟦)⟧",
    ],
    [
      "the folder cannot be read: permission to read it is denied",
      "⟦the folder cannot be read: ⟧⟦permission to read it is denied⟧",
    ],
    ["named .jpg, is PNG", "⟦named ⟧.jpg⟦, is ⟧PNG"],
    [
      "it has no end marker; it is used if its data is whole",
      "⟦it has no end marker; it is used if its data is whole⟧",
    ],
    [
      'No image is called "a.png"; the nearest name is "b.png".',
      '⟦No image is called ⟧"a.png"⟦; the nearest name is ⟧"b.png"⟦.⟧',
    ],
    ['The image "a.png" cannot be read: the file is empty.', undefined],
    ['"a.png" has no rating.', '"a.png"⟦ has no rating.⟧'],
    ["the link leads out of the project's folder, to /a {0}; its images are used", undefined],
    ["somebody else's {1} words", "somebody else's {1} words"],
  ] as const) {
    expect(inEnglish(kept(sentence))).toBe(sentence);
    if (said) expect(render(kept(sentence), pseudo)).toBe(said);
  }
});
